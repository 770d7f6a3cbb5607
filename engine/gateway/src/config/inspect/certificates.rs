//! Certificates, keys and revocation lists: there, readable, in time, and going together.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use colloquy_transport::tls::{Cipher, Group, Policy, SettingsError, TlsClient, TlsServer, TlsSettings};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate, X509Version};
use x509_parser::time::ASN1Time;

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::quantity::duration_text;
use super::super::read::File;
use super::super::values::Values;

/// Permissions of a key file that others must not have.
const READABLE_BY_OTHERS: u32 = 0o006;

pub(super) fn check(file: &File, now: SystemTime, diagnostics: &mut Diagnostics) {
    for tls in &file.tls {
        let name = tls.given_text("name");
        let used = |users: &[Values]| users.iter().any(|user| user.given_text("tls") == name);
        let uses = Uses { listener: used(&file.listeners), target: used(&file.targets) };
        let mut table = Table { tls, uses, now, diagnostics };
        let certificates = table.certificates("certificate");
        let authorities = table.certificates("authorities");
        let revocation_lists = table.revocation_lists();
        let key = table.key();
        // What is missing has been told already; only a whole table can be put together.
        if !["certificate", "key", "authorities"].iter().all(|key| tls.gives(key)) {
            continue;
        }
        if let (Some(certificates), Some(authorities), Some(revocation_lists), Some(key)) =
            (certificates, authorities, revocation_lists, key)
        {
            table.together(certificates, authorities, revocation_lists, key);
        }
    }
}

/// On which side of connections a table is used.
struct Uses {
    listener: bool,
    target: bool,
}

/// One `[[tls]]`.
struct Table<'t> {
    tls: &'t Values,
    uses: Uses,
    now: SystemTime,
    diagnostics: &'t mut Diagnostics,
}

impl Table<'_> {
    fn fault(&mut self, key: &str, problem: String, expected: &str) {
        let (span, path) = (self.tls.span(key), self.tls.key(key));
        self.diagnostics.add(FaultKind::Certificate, span, path, problem, expected, None);
    }

    /// The paths that a key gives, be it one or a list.
    fn paths(&self, key: &str) -> Vec<String> {
        if !self.tls.gives(key) {
            return Vec::new();
        }
        self.tls.text(key).map(str::to_owned).into_iter().chain(self.tls.texts(key).iter().cloned()).collect()
    }

    /// The certificates of all files of a key; `None` if something is wrong with one.
    fn certificates(&mut self, key: &str) -> Option<Vec<CertificateDer<'static>>> {
        let mut all = Vec::new();
        let mut good = true;
        for path in self.paths(key) {
            let read: Result<Vec<CertificateDer<'static>>, _> =
                CertificateDer::pem_file_iter(&path).and_then(Iterator::collect);
            match read {
                Ok(read) if read.is_empty() => {
                    good = false;
                    self.fault(
                        key,
                        format!("{path}: has no certificate"),
                        "a PEM file with CERTIFICATE in it",
                    );
                }
                Ok(read) => {
                    for certificate in &read {
                        good &= self.certificate_in_time(key, &path, certificate);
                    }
                    all.extend(read);
                }
                Err(error) => {
                    good = false;
                    self.fault(key, format!("{path}: {error}"), "a PEM file with CERTIFICATE in it");
                }
            }
        }
        good.then_some(all)
    }

    fn certificate_in_time(&mut self, key: &str, path: &str, certificate: &CertificateDer<'_>) -> bool {
        let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
            self.fault(key, format!("{path}: is no X.509 certificate"), "a certificate");
            return false;
        };
        let subject = parsed.subject().to_string();
        if key == "certificate" && parsed.version() != X509Version::V3 {
            let problem = format!("{path}: {subject} is of version {} of X.509", parsed.version().0 + 1);
            self.fault(key, problem, "version 3: with extensions, which openssl x509 -req takes by -extfile");
            return false;
        }
        self.purposes(key, &format!("{path}: {subject}"), &parsed);
        let (from, to) = (time(parsed.validity().not_before), time(parsed.validity().not_after));
        if self.now < from {
            let problem = format!("{path}: {subject} is valid from {} on only", parsed.validity().not_before);
            self.fault(key, problem, "a certificate that is valid now");
            return false;
        }
        self.expiry(key, &format!("{path}: {subject}"), to, parsed.validity().not_after, true)
    }

    /// Warns of a certificate that peers would not take for what it is used for here.
    fn purposes(&mut self, key: &str, what: &str, parsed: &X509Certificate<'_>) {
        let (span, path) = (self.tls.span(key), self.tls.key(key));
        let is_authority =
            parsed.basic_constraints().ok().flatten().is_some_and(|constraints| constraints.value.ca);
        if key == "authorities" {
            if parsed.version() == X509Version::V3 && !is_authority {
                let problem = format!("{what} is no certificate of an authority: nobody is trusted by it");
                self.diagnostics.warn(
                    FaultKind::Certificate,
                    span,
                    path,
                    problem,
                    "one with basicConstraints CA:TRUE",
                    None,
                );
            }
            return;
        }
        let Some(usage) = parsed.extended_key_usage().ok().flatten().map(|usage| usage.value) else { return };
        let missing = [
            (
                self.uses.listener,
                usage.server_auth,
                "serverAuth",
                "clients of the listeners that name this table",
            ),
            (self.uses.target, usage.client_auth, "clientAuth", "the targets that name this table"),
        ];
        for (used, has, name, whom) in missing {
            if used && !has && !usage.any && !is_authority {
                self.diagnostics.warn(
                    FaultKind::Certificate,
                    span.clone(),
                    path.clone(),
                    format!("{what} has an extendedKeyUsage without {name}: {whom} may refuse it"),
                    format!("one with {name}"),
                    None,
                );
            }
        }
    }

    /// A fault for what has expired, a warning for what soon will.
    fn expiry(
        &mut self,
        key: &str,
        what: &str,
        end: SystemTime,
        text: ASN1Time,
        expired_is_fault: bool,
    ) -> bool {
        let warning = self.tls.duration("expiry_warning");
        let (span, path) = (self.tls.span(key), self.tls.key(key));
        let Ok(left) = end.duration_since(self.now) else {
            let (problem, expected) = (format!("{what} has expired on {text}"), "one that is valid now");
            if expired_is_fault {
                self.diagnostics.add(FaultKind::Certificate, span, path, problem, expected, None);
            } else {
                self.diagnostics.warn(FaultKind::Certificate, span, path, problem, expected, None);
            }
            return !expired_is_fault;
        };
        if left < warning {
            let days = left.as_secs() / 86_400;
            self.diagnostics.warn(
                FaultKind::Certificate,
                span,
                path,
                format!("{what} expires on {text}, in {days} days"),
                format!("more than expiry_warning = {}", duration_text(warning)),
                None,
            );
        }
        true
    }

    fn revocation_lists(&mut self) -> Option<Vec<CertificateRevocationListDer<'static>>> {
        const KEY: &str = "revocation_lists";
        let required = self.tls.boolean("revocation_required");
        let mut all = Vec::new();
        let mut good = true;
        for path in self.paths(KEY) {
            let read: Result<Vec<CertificateRevocationListDer<'static>>, _> =
                CertificateRevocationListDer::pem_file_iter(&path).and_then(Iterator::collect);
            let lists = match read {
                Ok(lists) if !lists.is_empty() => lists,
                read => {
                    let why =
                        read.map_or_else(|error| error.to_string(), |_| "has no revocation list".into());
                    good = false;
                    self.fault(KEY, format!("{path}: {why}"), "a PEM file with X509 CRL in it");
                    continue;
                }
            };
            for list in &lists {
                let Ok((_, parsed)) = CertificateRevocationList::from_der(list) else {
                    good = false;
                    self.fault(KEY, format!("{path}: is no revocation list"), "a revocation list");
                    continue;
                };
                if let Some(next) = parsed.next_update() {
                    let what = format!("{path}: the list of {}", parsed.issuer());
                    good &= self.expiry(KEY, &what, time(next), next, required);
                }
            }
            all.extend(lists);
        }
        good.then_some(all)
    }

    fn key(&mut self) -> Option<PrivateKeyDer<'static>> {
        let path = self.tls.given_text("key")?.to_owned();
        match mode(Path::new(&path)) {
            Ok(mode) if mode & READABLE_BY_OTHERS != 0 => {
                let problem = format!("{path}: others may read or write it (mode {:03o})", mode & 0o777);
                self.fault("key", problem, "a file of the gateway's user alone: chmod 600");
            }
            Ok(_) => {}
            Err(error) => {
                self.fault("key", format!("{path}: {error}"), "a PEM file with PRIVATE KEY in it");
                return None;
            }
        }
        PrivateKeyDer::from_pem_file(&path)
            .map_err(|error| {
                let what = match error {
                    pem::Error::NoItemsFound => "has no private key that is not encrypted".to_owned(),
                    error => error.to_string(),
                };
                self.fault("key", format!("{path}: {what}"), "a PEM file with PRIVATE KEY in it");
            })
            .ok()
    }

    /// Lets the TLS library put the parts together, which is where a key that is another's is found out.
    fn together(
        &mut self,
        certificates: Vec<CertificateDer<'static>>,
        authorities: Vec<CertificateDer<'static>>,
        revocation_lists: Vec<CertificateRevocationListDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) {
        let tls = self.tls;
        let has = |name: &str, word: &str| tls.texts(name).iter().any(|text| text == word);
        let ciphers = tls.texts("ciphers").iter().map(|name| match name.as_str() {
            "aes256-gcm" => Cipher::Aes256Gcm,
            _ => Cipher::Aes128Gcm,
        });
        let groups = tls.texts("groups").iter().map(|name| match name.as_str() {
            "secp256r1" => Group::Secp256r1,
            "secp384r1" => Group::Secp384r1,
            _ => Group::X25519,
        });
        let settings = TlsSettings {
            certificates,
            key,
            authorities,
            revocation_lists,
            revocation_required: tls.boolean("revocation_required"),
            client_certificate_required: tls.text("client_certificate") != Some("none"),
            version_1_2: has("versions", "1.2"),
            version_1_3: has("versions", "1.3"),
            ciphers: ciphers.collect(),
            groups: groups.collect(),
            policy: Policy { rsa_bits_min: tls.integer("rsa_bits_min") as usize, allow: None },
            resumption_lifetime: tls.duration("resumption_lifetime"),
        };
        // Listeners need one side and targets the other, which looks at more; a gateway starts with both or not at all.
        let built = TlsServer::new(&settings).and_then(|_| TlsClient::new(&settings));
        let Err(error) = built else { return };
        let key = match error {
            SettingsError::OwnCertificate(_) => "key",
            SettingsError::Authority { .. } | SettingsError::NoAuthority => "authorities",
            SettingsError::RevocationList(_) | SettingsError::NoRevocationList => "revocation_lists",
            _ => "versions",
        };
        let other: Range<usize> = self.tls.span("certificate");
        let text = error.to_string();
        let problem = if text.contains("KeyMismatch") {
            format!("{}: is the private key of another certificate", tls.text("key").unwrap_or_default())
        } else {
            text
        };
        self.fault(key, problem, "files that belong together");
        if key == "key" {
            self.diagnostics.beside(&other);
        }
    }
}

fn time(time: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn mode(path: &Path) -> io::Result<u32> {
    fs::metadata(path).map(|metadata| metadata.permissions().mode())
}
