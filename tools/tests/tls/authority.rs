//! A certificate authority for a test, and what it issues, as files.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};

/// An authority and the folder that its files are in.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    name: &'static str,
}

impl Authority {
    /// A new one; `NAME.pem` is its certificate.
    pub(crate) fn new(folder: &Path, name: &'static str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
        let authority = Authority { issuer, folder: folder.to_owned(), name };
        let certificate: &rcgen::Certificate = authority.issuer.as_ref();
        std::fs::write(authority.certificate(), certificate.pem()).expect("writable");
        authority
    }

    /// Its certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join(format!("{}.pem", self.name))
    }

    /// Issues `FILE.pem` and `FILE.key` for `name`, valid in these years.
    pub(crate) fn issue(&self, file: &str, name: &str, serial: u64, years: (i32, i32)) -> String {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.serial_number = Some(SerialNumber::from(serial));
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &*self.issuer).expect("signed");
        let base = self.folder.join(file);
        std::fs::write(base.with_extension("pem"), certificate.pem()).expect("writable");
        let key_file = base.with_extension("key");
        std::fs::write(&key_file, key.serialize_pem()).expect("writable");
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&key_file, owner_only).expect("own file");
        base.display().to_string()
    }

    /// Writes a list of revoked serial numbers to `FILE`.
    pub(crate) fn revoke(&self, file: &str, serials: &[u64]) {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let pem = list.signed_by(&*self.issuer).expect("signed").pem().expect("PEM");
        std::fs::write(self.folder.join(file), pem).expect("writable");
    }
}
