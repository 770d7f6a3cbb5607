"""A certificate authority for a story, made by openssl: certificates, revocation, a list of what is revoked."""

import subprocess

_CONFIG = """[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
crlnumber = {folder}/crlnumber
default_md = sha256
policy = any
default_days = 30
default_crl_days = 7
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = {name}
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


class Authority:
    """An authority in a folder of its own."""

    def __init__(self, folder, name="Authority"):
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "crlnumber").write_text("01\n")
        self.config = self.folder / "openssl.cnf"
        self.config.write_text(_CONFIG.format(folder=self.folder, name=name))
        self.certificate, self.key, self.list = self.folder / "ca.pem", self.folder / "ca.key", self.folder / "ca.crl"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-config", self.config, "-extensions", "authority", "-keyout", self.key, "-out", self.certificate)
        self.publish()

    def issue(self, name, begins=None, ends=None, file=None):
        """Paths of certificate and key for a DNS name; `ends` as YYMMDDHHMMSSZ makes it expire."""
        request, certificate, key = (self.folder / f"{file or name}.{kind}" for kind in ("csr", "pem", "key"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", self.config,
                "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", request)
        dates = (["-startdate", begins] if begins else []) + (["-enddate", ends] if ends else [])
        openssl("ca", "-batch", "-notext", "-config", self.config, "-cert", self.certificate, "-keyfile", self.key,
                "-in", request, "-out", certificate, *dates)
        key.chmod(0o600)
        return certificate, key

    def revoke(self, certificate):
        openssl("ca", "-config", self.config, "-cert", self.certificate, "-keyfile", self.key, "-revoke", certificate)
        self.publish()

    def publish(self):
        """Writes the list of what is revoked."""
        openssl("ca", "-gencrl", "-config", self.config, "-cert", self.certificate, "-keyfile", self.key, "-out", self.list)
