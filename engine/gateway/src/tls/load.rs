//! Reading what a `[[tls]]` table names, with every fault and the file that it is in.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use colloquy_transport::tls::{
    Cipher, Group, PeerName, Policy, SettingsError, TlsClient, TlsServer, TlsSettings,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Version};

use super::expiry::{ExpiringKind, Expiry};
use super::material::TlsMaterial;
use crate::config::{CertificateName, TlsConfig};

/// A fault of a file that a `[[tls]]` table names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFileFault {
    /// The table's name.
    pub table: String,
    /// The key of the table that names the file.
    pub key: &'static str,
    /// The file; `None` where it is about the table as a whole.
    pub file: Option<PathBuf>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for TlsFileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tls \"{}\", {}: ", self.table, self.key)?;
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for TlsFileFault {}

/// Reads and checks what a table names. `read` gives the content of a file.
///
/// An expired certificate or list is no fault: [`TlsMaterial::expiries`] has when it happens or happened.
///
/// # Errors
/// Every fault.
pub fn load(
    table: &TlsConfig,
    read: impl Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<TlsMaterial, Vec<TlsFileFault>> {
    let mut loader = Loader { table, read, faults: Vec::new(), expiries: Vec::new() };
    let certificates = loader.certificates(
        "certificate",
        std::slice::from_ref(&table.certificate),
        ExpiringKind::Certificate,
    );
    let authorities = loader.certificates("authorities", &table.authorities, ExpiringKind::Authority);
    let revocation_lists = loader.revocation_lists();
    let key = loader.key();
    let (Some(key), true) = (key, loader.faults.is_empty()) else { return Err(loader.faults) };
    let settings = settings(table, (certificates, key), authorities, revocation_lists);
    let server = TlsServer::new(&settings);
    let client = TlsClient::new(&settings);
    match (server, client) {
        (Ok(server), Ok(client)) => Ok(TlsMaterial {
            name: table.name.clone(),
            server: Arc::new(server),
            client: Arc::new(client),
            handshake_timeout: table.handshake_timeout,
            expiries: loader.expiries,
        }),
        (Err(error), _) | (_, Err(error)) => {
            let (key, file) = match &error {
                SettingsError::OwnCertificate(_) => ("key", Some(&table.key)),
                SettingsError::Authority { .. } | SettingsError::NoAuthority => ("authorities", None),
                SettingsError::RevocationList(_) | SettingsError::NoRevocationList => {
                    ("revocation_lists", None)
                }
                _ => ("versions", None),
            };
            loader.fault(key, file.map(PathBuf::as_path), error.to_string());
            Err(loader.faults)
        }
    }
}

fn settings(
    table: &TlsConfig,
    (certificates, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
    authorities: Vec<CertificateDer<'static>>,
    revocation_lists: Vec<CertificateRevocationListDer<'static>>,
) -> TlsSettings {
    let cipher = |name: &String| match name.as_str() {
        "aes128-gcm" => Cipher::Aes128Gcm,
        _ => Cipher::Aes256Gcm,
    };
    let group = |name: &String| match name.as_str() {
        "secp384r1" => Group::Secp384r1,
        "x25519" => Group::X25519,
        _ => Group::Secp256r1,
    };
    TlsSettings {
        certificates,
        key,
        authorities,
        revocation_lists,
        revocation_required: table.revocation_required,
        client_certificate_required: table.client_certificate_required,
        version_1_2: table.version_1_2,
        version_1_3: table.version_1_3,
        ciphers: table.ciphers.iter().map(cipher).collect(),
        groups: table.groups.iter().map(group).collect(),
        policy: Policy {
            rsa_bits_min: table.rsa_bits_min,
            allow: table.allow_certificates.as_ref().map(|names| names.iter().map(PeerName::from).collect()),
        },
        resumption_lifetime: if table.resumption_lifetime < Duration::from_secs(1) {
            Duration::ZERO
        } else {
            table.resumption_lifetime
        },
    }
}

impl From<&CertificateName> for PeerName {
    fn from(name: &CertificateName) -> PeerName {
        match name {
            CertificateName::Dns(name) => PeerName::Dns(name.clone()),
            CertificateName::CommonName(name) => PeerName::CommonName(name.clone()),
            CertificateName::Sha256(digest) => PeerName::Sha256(*digest),
        }
    }
}

/// The faults, one in each line.
pub(crate) fn join(faults: &[TlsFileFault]) -> String {
    let lines: Vec<String> = faults.iter().map(TlsFileFault::to_string).collect();
    lines.join("\n")
}

struct Loader<'t, R> {
    table: &'t TlsConfig,
    read: R,
    faults: Vec<TlsFileFault>,
    expiries: Vec<Expiry>,
}

impl<R: Fn(&Path) -> io::Result<Vec<u8>>> Loader<'_, R> {
    fn fault(&mut self, key: &'static str, file: Option<&Path>, what: String) {
        let file = file.map(Path::to_owned);
        self.faults.push(TlsFileFault { table: self.table.name.clone(), key, file, what });
    }

    fn content(&mut self, key: &'static str, file: &Path) -> Option<Vec<u8>> {
        match (self.read)(file) {
            Ok(content) => Some(content),
            Err(error) => {
                self.fault(key, Some(file), format!("cannot be read: {error}"));
                None
            }
        }
    }

    /// The PEM sections of one kind in a file.
    fn sections<T: PemObject>(&mut self, key: &'static str, file: &Path, what: &str) -> Vec<T> {
        let Some(content) = self.content(key, file) else { return Vec::new() };
        let mut sections = Vec::new();
        for section in T::pem_slice_iter(&content) {
            match section {
                Ok(section) => sections.push(section),
                Err(error) => {
                    self.fault(key, Some(file), format!("not PEM: {error}"));
                    return Vec::new();
                }
            }
        }
        if sections.is_empty() {
            self.fault(key, Some(file), format!("no {what} in it"));
        }
        sections
    }

    fn certificates(
        &mut self,
        key: &'static str,
        files: &[PathBuf],
        kind: ExpiringKind,
    ) -> Vec<CertificateDer<'static>> {
        let mut all = Vec::new();
        for file in files {
            let certificates: Vec<CertificateDer<'static>> = self.sections(key, file, "CERTIFICATE");
            for (place, certificate) in certificates.iter().enumerate() {
                match x509_parser::certificate::X509Certificate::from_der(certificate) {
                    // Of an authority's certificate only name and key count.
                    Ok((_, parsed)) if key == "certificate" && parsed.version() != X509Version::V3 => {
                        let version = parsed.version().0 + 1;
                        let what = format!(
                            "certificate {} in it is of version {version} of X.509, not 3",
                            place + 1
                        );
                        self.fault(key, Some(file), what);
                    }
                    Ok((_, parsed)) => {
                        let at = parsed.validity().not_after.timestamp();
                        self.expiries.push(Expiry { kind, file: file.clone(), at });
                    }
                    Err(error) => {
                        let what = format!("certificate {} in it cannot be read: {error}", place + 1);
                        self.fault(key, Some(file), what);
                    }
                }
            }
            all.extend(certificates);
        }
        all
    }

    fn revocation_lists(&mut self) -> Vec<CertificateRevocationListDer<'static>> {
        let key = "revocation_lists";
        let mut all = Vec::new();
        for file in &self.table.revocation_lists {
            let lists: Vec<CertificateRevocationListDer<'static>> = self.sections(key, file, "X509 CRL");
            for (place, list) in lists.iter().enumerate() {
                match x509_parser::revocation_list::CertificateRevocationList::from_der(list) {
                    Ok((_, parsed)) => {
                        if let Some(next) = parsed.next_update() {
                            let (kind, at) = (ExpiringKind::RevocationList, next.timestamp());
                            self.expiries.push(Expiry { kind, file: file.clone(), at });
                        }
                    }
                    Err(error) => {
                        let what = format!("list {} in it cannot be read: {error}", place + 1);
                        self.fault(key, Some(file), what);
                    }
                }
            }
            all.extend(lists);
        }
        all
    }

    fn key(&mut self) -> Option<PrivateKeyDer<'static>> {
        let file = &self.table.key;
        let keys: Vec<PrivateKeyDer<'static>> = self.sections("key", file, "PRIVATE KEY");
        keys.into_iter().next()
    }
}
