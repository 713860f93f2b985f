"""A broker that is reached over TLS alone, knows its users by their certificates, and gives them rights: with those that
config/README.md names all works, and of each certificate that is wrong it is said what is."""
import re
import shutil
import subprocess

import pytest
from asking import Http
from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from servers import BROKER, free_port, wait_until
from stream import Feed, settle
from test_check import wait_for
from test_faults import CLOCK, NOW_MS, count, leads
from test_rights import GuardedKafka, Rights, bad

KEY_PASSWORD, STORE_PASSWORD, SCRAM_PASSWORD = "sesame-of-the-key", "sesame-of-the-store", "sesame-of-scram"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    """Signs certificates in a folder: NAME.pem, NAME.key."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.certificate = self.new_key("authority", "-x509", "-days", "2", "-out")

    def new_key(self, name, *words, subject=None):
        made = self.folder / ("%s.%s" % (name, "pem" if "-x509" in words else "csr"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + (subject or name), "-keyout",
                self.folder / (name + ".key"), *words, made)
        return made

    def sign(self, name, subject, days=2, of="IP:127.0.0.1"):
        request, made, extra = self.new_key(name, "-out", subject=subject), self.folder / (name + ".pem"), self.folder / "extra"
        extra.write_text("subjectAltName=%s\n" % of, encoding="ascii")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "authority.key", "-CAcreateserial", "-days", days,
                "-extfile", extra, "-out", made)
        return made

    def key(self, name):
        return self.folder / (name + ".key")


def shown(authority, name, **more):
    """The properties of a client that shows a certificate."""
    return {"ssl.certificate.location": str(authority.folder / (name + ".pem")), "ssl.key.location": str(authority.key(name))} | more


class TlsKafka(GuardedKafka):
    """`guarded` wants a certificate, whose name is the user's; `scram` a password."""

    def __init__(self, folder):
        super().__init__(folder)
        self.authority = Authority(folder / "authority")
        self.authority.sign("broker", "broker")
        store = folder / "broker.p12"
        openssl("pkcs12", "-export", "-in", folder / "authority/broker.pem", "-inkey", folder / "authority/broker.key", "-out", store, "-passout",
                "pass:" + STORE_PASSWORD)
        self.scram = "127.0.0.1:%d" % free_port()
        everywhere = self.guarded.replace("127.0.0.1", "0.0.0.0")
        advertised = "PLAINTEXT://%s,GUARDED://%s,SCRAM://%s" % (self.address, self.guarded, self.scram)
        controller = "CONTROLLER://127.0.0.1:%s" % self.environment["KAFKA_CONTROLLER_PORT"]
        self.settings = [
            "listeners=%s,%s" % (advertised.replace(self.guarded, everywhere), controller), "advertised.listeners=" + advertised,
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,GUARDED:SSL,SCRAM:SASL_SSL,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms=SCRAM-SHA-256",
            "listener.name.scram.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
            "listener.name.guarded.ssl.client.auth=required", "ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/",
            "ssl.keystore.type=PKCS12", "ssl.keystore.location=%s" % store, "ssl.keystore.password=" + STORE_PASSWORD, "ssl.key.password=" + STORE_PASSWORD,
            "ssl.truststore.type=PEM", "ssl.truststore.location=%s" % self.authority.certificate,
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS"]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    assert BROKER.exists(), "no %s" % BROKER
    folder = tmp_path_factory.mktemp("kafka")
    broker = TlsKafka(folder)
    broker.broker("install")
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """Another authority."""
    made = Authority(tmp_path_factory.mktemp("strangers") / "authority")
    made.sign("crm", "crm")
    return made


@pytest.fixture
def secured(topics, kafka, redis_server, daemon, tmp_path):
    """A daemon that shows the certificate of crm, whose key has a password; not yet started."""
    Rights(topics).give()
    authority = kafka.authority
    authority.sign("crm", "crm")
    openssl("ec", "-aes256", "-in", authority.key("crm"), "-passout", "pass:" + KEY_PASSWORD, "-out", authority.key("closed"))
    (tmp_path / "key.password").write_text(KEY_PASSWORD + "\r\n", encoding="ascii")
    port, redis = free_port(), redis_server()
    user = {"bootstrap.servers": kafka.guarded, "security.protocol": "ssl", "ssl.ca.location": str(authority.certificate)}
    user |= shown(authority, "crm") | {"ssl.key.location": str(authority.key("closed")), "ssl.key.password_file": str(tmp_path / "key.password")}
    one = daemon(topics, redis, clock=CLOCK, kafka=user, listen="127.0.0.1:%d" % port)
    one.redis, one.http = redis, Http(port)
    wait_for(topics, topics.all)
    return one


def with_kafka(one, **changes):
    """Its settings with other properties; None: without one."""
    kafka = one.config["kafka"] | {name.replace("__", "."): value for name, value in changes.items()}
    one.configure(one.config | {"kafka": {name: value for name, value in kafka.items() if value is not None}})
    return one


def checked(one):
    code, out, err = one.command("check")
    assert not any(secret in out + err for secret in (KEY_PASSWORD, STORE_PASSWORD, SCRAM_PASSWORD, "PRIVATE KEY"))
    return code, out


def test_all_that_it_does(secured, topics):
    code, out = checked(secured)
    assert code == 0 and "cannot be read" not in out, out
    secured.start()
    Feed(topics, NOW_MS).events(leads(0, 20) + [bad(100)])
    settle(topics, secured, secured.redis)
    for command in ("verify", "rebuild"):
        code, out, err = secured.command(command, "acme")
        assert code == 0, out + err
    settle(topics, secured, secured.redis)
    assert count(secured) == 20 and all(map(topics.records, ("reports", "dead-letter")))
    assert KEY_PASSWORD not in secured.whole_log()


def test_a_key_in_the_settings_or_in_a_file_of_its_own(secured, kafka):
    key = kafka.authority.key("crm")
    for name, value in (("ssl__key__pem", key.read_text(encoding="ascii")), ("ssl__key__pem_file", str(key))):
        code, out = checked(with_kafka(secured, **{"ssl__key__location": None, "ssl__key__password_file": None, "ssl__key__pem": None, name: value}))
        assert code == 0, out


def refused(secured, kafka, strangers):
    """Each way in which it is not right: (changes, what is said)."""
    open_key = {"ssl__key__password_file": None}
    theirs = {name.replace(".", "__"): value for name, value in shown(strangers, "crm").items()}
    of_broker = "certificate is not of an authority in ssl.ca.location, bears another host's name, or has expired"
    return [({"ssl__ca__location": str(strangers.certificate)}, of_broker),
            ({"bootstrap__servers": kafka.guarded.replace("127.0.0.1", "127.0.0.2")}, of_broker),
            (theirs | open_key, "does not take this client's certificate"),
            (open_key | {"ssl__certificate__location": None, "ssl__key__location": None}, "does not take this client's certificate"),
            (open_key | {"ssl__key__location": theirs["ssl__key__location"]}, "key values mismatch")]


@pytest.mark.parametrize("number", range(5))
def test_what_is_wrong_is_told(secured, kafka, strangers, number):
    changes, told = refused(secured, kafka, strangers)[number]
    code, out = checked(with_kafka(secured, **changes))
    assert code != 0 and told in out, out


def test_who_shows_a_wrong_certificate_waits_until_it_is_another(secured, kafka, strangers, topics):
    """After a restart: the library reads files when it begins."""
    right = shown(kafka.authority, "crm")["ssl.certificate.location"], kafka.authority.key("crm")
    for name, path in zip(("ssl__certificate__location", "ssl__key__location"), (secured.folder / "mine.pem", secured.folder / "mine.key")):
        with_kafka(secured, ssl__key__password_file=None, **{name: str(path)})
    shutil.copy(strangers.folder / "crm.pem", secured.folder / "mine.pem")
    shutil.copy(strangers.key("crm"), secured.folder / "mine.key")
    secured.start().wait_says("does not take this client's certificate")
    wait_until(lambda: "this client's certificate" in secured.http.ask("/readyz").text, "it is not ready")
    shutil.copy(right[0], secured.folder / "mine.pem")
    shutil.copy(right[1], secured.folder / "mine.key")
    assert secured.terminate()[0] == 0
    secured.start().wait_ready()
    Feed(topics, NOW_MS).events(leads(0, 5))
    settle(topics, secured, secured.redis)
    assert count(secured) == 5


def sends_nonce_twice(secured):
    """A librdkafka before 2.6.1, which no Kafka 4 takes."""
    linked = subprocess.run(["ldd", secured.binary], capture_output=True, text=True, timeout=60, check=True).stdout
    library = re.search(r"librdkafka\.so\S* => (\S+)", linked)[1]
    code = "import ctypes,sys;print(ctypes.CDLL(sys.argv[1]).rd_kafka_version())"
    return int(subprocess.run(["python3", "-c", code, library], capture_output=True, text=True, timeout=60, check=True).stdout) < 0x020601ff


def test_scram_works_or_it_is_said_why_not(secured, kafka, topics, tmp_path):
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
    wanted = [UserScramCredentialUpsertion("crm", scram, SCRAM_PASSWORD.encode())]
    for future in topics.admin.alter_user_scram_credentials(wanted).values():
        future.result(30)
    (tmp_path / "sasl").write_text(SCRAM_PASSWORD, encoding="ascii")
    without = {"ssl__certificate__location": None, "ssl__key__location": None, "ssl__key__password_file": None}
    with_kafka(secured, bootstrap__servers=kafka.scram, security__protocol="sasl_ssl", sasl__mechanism="SCRAM-SHA-256", sasl__username="crm",
               sasl__password_file=str(tmp_path / "sasl"), **without)
    code, out = checked(secured)
    if sends_nonce_twice(secured):
        assert code != 0 and "needs librdkafka 2.6.1" in out, out
    else:
        assert code == 0, out
