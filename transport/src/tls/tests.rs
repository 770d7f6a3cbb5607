//! Both ends against each other: data, refusals, closing, key update, resumption.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::{
    Cipher, Group, PeerName, Policy, TlsClient, TlsConnection, TlsFault, TlsFaultKind, TlsServer, TlsSettings,
};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    authority_named("authority")
}

fn authority_named(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("an authority")
}

fn der(authority: &Authority) -> CertificateDer<'static> {
    let certificate: &rcgen::Certificate = authority.as_ref();
    certificate.der().clone()
}

struct Holder {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn holder(
    authority: &Authority,
    name: &str,
    serial: u64,
    change: impl FnOnce(&mut CertificateParams),
) -> Holder {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.serial_number = Some(SerialNumber::from(serial));
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &**authority).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS 8");
    Holder { certificate: certificate.der().clone(), key }
}

fn settings(holder: &Holder, authority: &Authority) -> TlsSettings {
    TlsSettings {
        certificates: vec![holder.certificate.clone()],
        key: holder.key.clone_key(),
        authorities: vec![der(authority)],
        revocation_lists: Vec::new(),
        revocation_required: false,
        client_certificate_required: true,
        version_1_2: true,
        version_1_3: true,
        ciphers: vec![Cipher::Aes256Gcm, Cipher::Aes128Gcm],
        groups: vec![Group::Secp256r1],
        policy: Policy { rsa_bits_min: 2048, allow: None },
        resumption_lifetime: Duration::ZERO,
    }
}

/// One end of a pair: the connection, what it has sent and what it has got.
struct End {
    connection: TlsConnection,
    out: Vec<u8>,
    plain: Vec<u8>,
    fault: Option<TlsFault>,
}

impl End {
    fn new(connection: TlsConnection) -> End {
        End { connection, out: Vec::new(), plain: Vec::new(), fault: None }
    }

    fn take(&mut self, octets: &[u8]) {
        if self.fault.is_none() {
            let plain = &mut self.plain;
            let result =
                self.connection.receive(octets, &mut self.out, &mut |octets| plain.extend_from_slice(octets));
            self.fault = result.err();
        }
    }

    fn send(&mut self, octets: &[u8]) {
        self.connection.seal(octets, &mut self.out).expect("established");
    }
}

/// Carries octets both ways until nobody has any, in pieces of `piece` octets.
fn carry(client: &mut End, server: &mut End, piece: usize) {
    client.take(&[]);
    loop {
        let (there, back) = (std::mem::take(&mut client.out), std::mem::take(&mut server.out));
        if there.is_empty() && back.is_empty() {
            return;
        }
        there.chunks(piece).for_each(|octets| server.take(octets));
        back.chunks(piece).for_each(|octets| client.take(octets));
    }
}

fn pair(server: &TlsSettings, client: &TlsSettings, name: &str) -> (End, End) {
    let server = TlsServer::new(server).expect("server settings").accept().expect("a connection");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let client = TlsClient::new(client).expect("client settings").connect(name).expect("a connection");
    let (mut client, mut server) = (End::new(client), End::new(server));
    carry(&mut client, &mut server, usize::MAX);
    (client, server)
}

struct World {
    authority: Authority,
    server: Holder,
    client: Holder,
}

fn world() -> World {
    let authority = authority();
    let server = holder(&authority, "gateway.example", 1, |_| ());
    let client = holder(&authority, "rtu7.example", 2, |_| ());
    World { authority, server, client }
}

#[test]
fn data_go_both_ways_in_any_pieces_and_versions() {
    let world = world();
    for (version_1_2, version_1_3) in [(true, false), (false, true), (true, true)] {
        for piece in [1, 7, 1000, usize::MAX] {
            let server = settings(&world.server, &world.authority);
            let client =
                TlsSettings { version_1_2, version_1_3, ..settings(&world.client, &world.authority) };
            let (mut client, mut server) = pair(&server, &client, "gateway.example");
            assert_eq!((client.fault, server.fault), (None, None));
            let summary = server.connection.summary().expect("established");
            assert_eq!(summary.version, if version_1_3 { "1.3" } else { "1.2" });
            assert!(summary.cipher.contains("AES_256_GCM"), "{summary:?}");
            let peer = server.connection.peer().expect("a certificate");
            assert_eq!(peer.dns_names, ["rtu7.example"]);
            assert!(
                peer.is(&PeerName::Dns("RTU7.example".to_owned())) && !peer.is(&PeerName::Sha256([0; 32]))
            );
            let sent: Vec<u8> = (0..100_000_u32).map(|octet| octet as u8).collect();
            client.send(&sent);
            server.send(&sent[..10]);
            carry(&mut client, &mut server, piece);
            assert_eq!((server.plain == sent, &*client.plain), (true, &sent[..10]), "{piece}");
        }
    }
}

#[test]
fn closing_is_told_both_ways_and_keys_are_changed() {
    let world = world();
    let (mut client, mut server) = pair(
        &settings(&world.server, &world.authority),
        &settings(&world.client, &world.authority),
        "gateway.example",
    );
    client.connection.update_keys(&mut client.out).expect("TLS 1.3");
    client.send(b"behind new keys");
    carry(&mut client, &mut server, usize::MAX);
    server.send(b"and back");
    carry(&mut client, &mut server, usize::MAX);
    assert_eq!((&*server.plain, &*client.plain), (&b"behind new keys"[..], &b"and back"[..]));
    assert!(!server.connection.is_closed_by_peer());
    client.connection.close(&mut client.out);
    assert!(client.connection.is_closed() && !client.out.is_empty());
    carry(&mut client, &mut server, usize::MAX);
    assert!(server.connection.is_closed_by_peer() && !client.connection.is_closed_by_peer());
    server.connection.close(&mut server.out);
    carry(&mut client, &mut server, usize::MAX);
    assert!(client.connection.is_closed_by_peer());
    assert_eq!((client.fault, server.fault), (None, None));
}

/// What the server finds wrong with a client.
fn server_fault(server: &TlsSettings, client: &TlsSettings) -> TlsFault {
    let (client, server) = pair(server, client, "gateway.example");
    assert!(!server.connection.is_established());
    let fault = server.fault.expect("the server refuses");
    assert!(
        matches!(client.fault.map(|fault| fault.kind), Some(TlsFaultKind::Alert(_))),
        "{:?}",
        client.fault
    );
    fault
}

#[test]
fn each_wrong_client_certificate_has_its_own_fault() {
    let world = world();
    let server = || settings(&world.server, &world.authority);
    let other = authority_named("other");
    let client = holder(&other, "rtu7.example", 2, |_| ());
    let unknown = TlsSettings { authorities: vec![der(&world.authority)], ..settings(&client, &other) };
    let fault = server_fault(&server(), &unknown);
    assert_eq!(fault.kind, TlsFaultKind::UnknownAuthority);
    assert_eq!(fault.certificate, Some(super::identity::sha256(&client.certificate)));
    let of = |change: fn(&mut CertificateParams)| {
        settings(&holder(&world.authority, "rtu7.example", 2, change), &world.authority)
    };
    let kind = |client: &TlsSettings| server_fault(&server(), client).kind;
    let expired = of(|params| params.not_after = date_time_ymd(2020, 1, 1));
    assert_eq!(kind(&expired), TlsFaultKind::Expired);
    let early = of(|params| params.not_before = date_time_ymd(4000, 1, 1));
    assert_eq!(kind(&early), TlsFaultKind::NotYetValid);
    let purpose = of(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    let told = |client: &TlsSettings| server_fault(&server(), client).to_string();
    assert_eq!(told(&purpose), "bad_certificate: its extended key usage is for another purpose");
    let own = of(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(told(&own), "bad_certificate: it is one of an authority, or signed by itself");
    let mut picky = server();
    picky.policy.allow = Some(vec![PeerName::Dns("rtu8.example".to_owned())]);
    let client = settings(&world.client, &world.authority);
    assert_eq!(server_fault(&picky, &client).kind, TlsFaultKind::NotAllowed);
    picky.policy.allow = Some(vec![PeerName::Sha256(super::identity::sha256(&world.client.certificate))]);
    let (_, server) = pair(&picky, &client, "gateway.example");
    assert_eq!(server.fault, None);
}

fn revocation_list(authority: &Authority, serial: u64, next_update: i32) -> TlsSettingsLists {
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(next_update, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2021, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    vec![list.signed_by(&**authority).expect("a list").der().clone()]
}

type TlsSettingsLists = Vec<rustls::pki_types::CertificateRevocationListDer<'static>>;

#[test]
fn revoked_certificates_and_lists_that_are_missing_or_old_are_told_apart() {
    let world = world();
    let client = settings(&world.client, &world.authority);
    let with = |revocation_lists, revocation_required| TlsSettings {
        revocation_lists,
        revocation_required,
        ..settings(&world.server, &world.authority)
    };
    let revoked = with(revocation_list(&world.authority, 2, 4000), false);
    assert_eq!(server_fault(&revoked, &client).kind, TlsFaultKind::Revoked);
    let missing = with(revocation_list(&authority_named("other"), 2, 4000), true);
    assert_eq!(server_fault(&missing, &client).kind, TlsFaultKind::RevocationListMissing);
    let old = with(revocation_list(&world.authority, 99, 2021), true);
    assert_eq!(server_fault(&old, &client).kind, TlsFaultKind::RevocationListExpired);
    for fine in [
        with(revocation_list(&world.authority, 99, 4000), true),
        with(revocation_list(&world.authority, 99, 2021), false),
        with(revocation_list(&authority_named("other"), 2, 4000), false),
    ] {
        let (_, server) = pair(&fine, &client, "gateway.example");
        assert_eq!(server.fault, None);
    }
    assert!(TlsServer::new(&with(Vec::new(), true)).is_err(), "required, and none there");
}

#[test]
fn wrong_names_versions_and_octets_have_their_own_faults() {
    let world = world();
    let server = settings(&world.server, &world.authority);
    let client = settings(&world.client, &world.authority);
    let (client_end, server_end) = pair(&server, &client, "another.example");
    assert_eq!(client_end.fault.map(|fault| fault.kind), Some(TlsFaultKind::WrongName));
    assert!(matches!(server_end.fault.map(|fault| fault.kind), Some(TlsFaultKind::Alert(_))));
    let newer = TlsSettings { version_1_2: false, ..settings(&world.server, &world.authority) };
    let older = TlsSettings { version_1_3: false, ..settings(&world.client, &world.authority) };
    assert_eq!(server_fault(&newer, &older).kind, TlsFaultKind::Version);
    let one = TlsSettings { ciphers: vec![Cipher::Aes128Gcm], ..settings(&world.server, &world.authority) };
    let another =
        TlsSettings { ciphers: vec![Cipher::Aes256Gcm], ..settings(&world.client, &world.authority) };
    assert_eq!(server_fault(&one, &another).kind, TlsFaultKind::Cipher);
    let mut plain = End::new(TlsServer::new(&server).expect("settings").accept().expect("a connection"));
    plain.take(b"\x03\x00\x00\x16");
    assert_eq!(plain.fault.map(|fault| fault.kind), Some(TlsFaultKind::NotTls));
    assert!(plain.out.is_empty());
    let (mut client_end, mut server_end) = pair(&server, &client, "gateway.example");
    client_end.send(b"some octets");
    let last = client_end.out.len() - 1;
    client_end.out[last] ^= 1;
    carry(&mut client_end, &mut server_end, usize::MAX);
    assert_eq!(server_end.fault.map(|fault| fault.kind), Some(TlsFaultKind::BadRecord));
}

#[test]
fn sessions_are_resumed_only_where_that_is_allowed() {
    let world = world();
    for (lifetime, resumed) in [(Duration::from_secs(3600), true), (Duration::ZERO, false)] {
        for version_1_3 in [true, false] {
            let settings = |holder| TlsSettings {
                resumption_lifetime: lifetime,
                version_1_3,
                ..settings(holder, &world.authority)
            };
            let server = TlsServer::new(&settings(&world.server)).expect("settings");
            let client = TlsClient::new(&settings(&world.client)).expect("settings");
            for round in 0..2 {
                let name = ServerName::try_from("gateway.example").expect("a name");
                let mut client = End::new(client.connect(name).expect("a connection"));
                let mut server = End::new(server.accept().expect("a connection"));
                carry(&mut client, &mut server, usize::MAX);
                let summary = server.connection.summary().expect("established");
                assert_eq!(summary.resumed, resumed && round == 1, "TLS 1.3 {version_1_3}");
                assert_eq!(server.connection.peer().expect("known").dns_names, ["rtu7.example"]);
            }
        }
    }
}
