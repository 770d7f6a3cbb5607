//! Certificates as an operator has them, made for one test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, SerialNumber,
};

const DAY: Duration = Duration::from_secs(86_400);

/// What `configs/iec62351.toml` wants in `tls/`; the gateway's certificate ends after this many days.
pub(crate) fn write(folder: &Path, days: i64) {
    fs::create_dir_all(folder).unwrap();
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let now = SystemTime::now();
    authority.not_before = (now - 400 * DAY).into();
    authority.not_after = (now + 3650 * DAY).into();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut own = CertificateParams::new(vec!["gateway.example".to_owned()]).unwrap();
    own.not_before = (now - 300 * DAY).into();
    let end = if days < 0 { now - DAY * days.unsigned_abs() as u32 } else { now + DAY * days as u32 };
    own.not_after = end.into();
    let certificate = own.signed_by(&key, &issuer).unwrap();
    let list = CertificateRevocationListParams {
        this_update: (now - DAY).into(),
        next_update: (now + 60 * DAY).into(),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    fs::write(folder.join("authority.pem"), authority_certificate.pem()).unwrap();
    fs::write(folder.join("authority.crl"), list.signed_by(&issuer).unwrap().pem().unwrap()).unwrap();
    fs::write(folder.join("gateway.pem"), certificate.pem()).unwrap();
    write_key(folder, &key.serialize_pem(), 0o600);
}

/// The private key, with these permissions.
pub(crate) fn write_key(folder: &Path, pem: &str, mode: u32) {
    let path = folder.join("gateway.key");
    fs::write(&path, pem).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A key of somebody else.
pub(crate) fn strange_key() -> String {
    KeyPair::generate().unwrap().serialize_pem()
}
