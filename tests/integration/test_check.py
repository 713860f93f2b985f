"""crm-reportd check, against real servers: it names every problem at once, changes nothing and shows no secret."""
import json
import subprocess

import pytest
from servers import TESTS, free_port, wait_until
from stream import Topics

SECRET = "open sesame"
EXAMPLE = TESTS.parent / "config/example.ndjson"


def run(binary, *words, env=None):
    done = subprocess.run([str(binary), *map(str, words)], capture_output=True, text=True, timeout=60, env=env or {}, check=False)
    assert SECRET not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def check(binary, tmp_path):
    """check(settings, …): (exit status, lines by their first word: ok, advice, problem)."""
    def call(settings, *words):
        path = tmp_path / "settings.json"
        path.write_text(settings if isinstance(settings, str) else json.dumps(settings), encoding="utf-8")
        code, out, err = run(binary, "check", "-c", path, *words)
        assert err == ""
        lines = [line.split(None, 1) for line in out.splitlines()]
        return code, {word: [line[1] for line in lines if line[0] == word] for word in ("ok", "advice", "problem")}
    return call


def wait_for(topics, names):
    """A broker hears of new topics a moment after they were created."""
    wait_until(lambda: set(names) <= set(topics.admin.list_topics(timeout=30).topics), "the topics are there")


def settings_of(topics):
    settings = topics.settings()
    wait_for(topics, settings["in"] + [settings[name] for name in ("reports", "alerts", "dead_letter")])
    return settings


def of(lines, setting):
    return [line for line in lines if line.startswith(setting)]


def test_all_is_well(check, topics, redis_server):
    redis = redis_server(password=SECRET)
    redis.client.config_set("hash-max-listpack-value", 512)
    redis.client.config_set("hash-max-listpack-entries", 512)
    settings = {"kafka": {"bootstrap.servers": topics.kafka.address}, "topics": settings_of(topics),
                "redis": {"url": redis.url, "password": SECRET}, "tenants": {"acme": {"time_zone": "Europe/Berlin"}}}
    code, lines = check(settings)
    assert lines["problem"] == []
    assert code == 0
    assert of(lines["ok"], "tenants: acme: Europe/Berlin, EUR")
    assert of(lines["ok"], "deal_won: ")
    assert of(lines["ok"], "kafka.bootstrap.servers: %s: 1 broker" % topics.kafka.address)
    assert len(of(lines["ok"], "topics.in")) == 7
    assert of(lines["ok"], "redis.url: %s answers: version " % redis.socket)
    assert of(lines["ok"], "redis.user: may run the commit script on crm:*")
    assert redis.client.dbsize() == 0


def test_topics_that_are_not_as_they_have_to_be(check, kafka, redis_server):
    topics = Topics(kafka, "check", partitions=3)
    topics.create(["check.compacted"], 3, {"cleanup.policy": "compact"})
    topics.create(["check.two"], 2)
    topics.create(["check.plain"], 1, {"max.message.bytes": "1000"})
    wait_for(topics, ["check.deals", "check.compacted", "check.two", "check.plain", "check.alerts", "check.dead-letter"])
    settings = {"kafka": {"bootstrap.servers": kafka.address}, "redis": {"url": redis_server().url},
                "topics": {"in": ["check.deals", "check.compacted", "check.two", "check.nowhere"], "reports": "check.plain",
                           "alerts": "check.alerts", "dead_letter": "check.dead-letter"}}
    code, lines = check(settings)
    assert code == 1
    assert [line.split(": ")[0] for line in lines["problem"]] == ["topics.in[3]", "topics.in[1]", "topics.reports"]
    assert '"check.nowhere" does not exist' in lines["problem"][0]
    assert "cleanup.policy compact, expected delete" in lines["problem"][1]
    assert "cleanup.policy delete, expected compact" in lines["problem"][2]
    assert any("2 partitions" in line for line in of(lines["advice"], "topics.in[2]"))
    admin = topics.admin.list_topics(timeout=30).topics
    assert "check.nowhere" not in admin


def test_servers_that_are_away(check):
    port = free_port()
    code, lines = check({"kafka": {"bootstrap.servers": "127.0.0.1:%d" % port}, "redis": {"url": "redis://user:open%%20sesame@127.0.0.1:%d" % port}})
    assert code == 1
    assert len(lines["problem"]) == 2
    assert of(lines["problem"], "kafka.bootstrap.servers: no broker at 127.0.0.1:%d answers" % port)
    assert "Connection refused" in of(lines["problem"], "redis.url")[0]


def test_redis_that_does_not_let_in(check, kafka, redis_server):
    redis = redis_server(password=SECRET)
    redis.client.config_set("maxmemory", "100mb")
    redis.client.config_set("maxmemory-policy", "allkeys-lru")
    redis.client.execute_command("ACL", "SETUSER", "bob", "on", ">bob", "+@all", "~other:*")
    settings = {"kafka": {"bootstrap.servers": kafka.address}, "redis": {"url": redis.url, "password": "wrong"}}
    assert "does not accept this user and password" in of(check(settings)[1]["problem"], "redis.url")[0]
    settings["redis"] |= {"password": SECRET}
    assert "maxmemory-policy allkeys-lru, expected noeviction" in of(check(settings)[1]["problem"], "redis.url")[0]
    settings["redis"] |= {"user": "bob", "password": "bob"}
    assert any("cannot commit" in line for line in of(check(settings)[1]["problem"], "redis.user"))
    for command, advised in (("ping", False), ("watch", True), ("multi", True)):
        redis.client.execute_command("ACL", "SETUSER", "eve", "reset", "on", ">eve", "+@all", "-" + command, "~crm:*", "&crm:*")
        settings["redis"] |= {"user": "eve", "password": "eve"}
        lines = check(settings)[1]
        assert not of(lines["problem"], "redis.user")
        assert bool([line for line in of(lines["advice"], "redis.user") if "WATCH and MULTI" in line]) == advised, (command, lines)


def test_five_mistakes_are_five_messages(check):
    settings = {"kafka": {"bootstrap.servers": "127.0.0.1:1", "sasl.usernam": "x"}, "redis": {"url": "redis://127.0.0.1:1", "pasword": SECRET},
                "workers": "2", "catalogue": ["nowhere.json"], "tenants": {"acme": {"time_zone": "Europe/Berln"}}}
    code, lines = check(settings, "--offline")
    assert code == 2
    assert sorted(line.split(": ")[0] for line in lines["problem"]) == [
        "catalogue", "kafka.sasl.usernam", "redis.pasword", "tenants.acme.time_zone", "workers"]
    assert all(hint in " ".join(lines["problem"]) for hint in ("redis.password?", "sasl.username?", "Europe/Berlin"))


def test_a_file_that_cannot_be_read_hides_nothing(check, tmp_path):
    """Nor does a catalogue that is wrong hide what is wrong in the rules."""
    (tmp_path / "mine.json").write_text('{"metrics":{"a":"laed.count"}}', encoding="utf-8")
    settings = {"kafka": {"bootstrap.servers": "kafka:9092"}, "redis": {"url": "rediss://redis", "ca_file": "nowhere.pem"},
                "catalogue": ["nowhere.json", "mine.json"], "alerts": [{"name": "x", "metric": "a", "period": "this_mont", "by": ["ownr"], "above": "1"}]}
    code, lines = check(settings, "--offline")
    assert code == 2
    assert [line.replace("%s/" % tmp_path, "").split(": ")[0] for line in lines["problem"]] == [
        "redis.ca_file", "catalogue", "mine.json", "alerts[0].above", "alerts[0].by", "alerts[0].period"], lines


def test_one_report_is_one(check, tmp_path):
    (tmp_path / "mine.json").write_text('{"only":{"metrics":[],"reports":["pipeline"]}}', encoding="utf-8")
    settings = {"kafka": {"bootstrap.servers": "kafka:9092"}, "redis": {"url": "redis://redis"}, "catalogue": ["mine.json"]}
    assert " 1 report;" in of(check(settings, "--offline")[1]["ok"], "catalogue")[0].replace("metrics,", "")


@pytest.mark.parametrize("properties, part", [
    ({"fetch.max.bytes": 10}, "`fetch.max.bytes` must be >= `message.max.bytes`"),
    ({"session.timeout.ms": 600000}, "`max.poll.interval.ms`must be >= `session.timeout.ms`"),
    ({"acks": 1}, "`acks` must be set to `all` when `enable.idempotence` is true"),
    ({"retries": 0}, "`retries` must be set >= 1 when `enable.idempotence` is true"),
    ({"security.protocol": "ssl", "ssl.ca.location": "/nope"}, "ssl.ca.location failed"),
])
def test_properties_that_do_not_go_together(check, properties, part):
    """As `run` would say, which ends with 2, too."""
    settings = {"kafka": {"bootstrap.servers": "kafka:9092"} | properties, "redis": {"url": "redis://redis"}}
    code, lines = check(settings, "--offline")
    assert code == 2 and len(lines["problem"]) == 1 and part in lines["problem"][0], lines


def test_a_file_that_is_none(check, binary):
    code, lines = check('{"redis": {"password": %s}}' % SECRET)
    assert code == 2
    assert "line 1, column" in lines["problem"][0]
    code, out, _ = run(binary, "check", "-c", "/nowhere.json")
    assert code == 2
    assert "/nowhere.json: cannot be read: No such file or directory" in out


@pytest.mark.parametrize("command", ["run", "query", "replay"])
def test_no_command_works_by_settings_that_are_wrong(binary, command, tmp_path):
    path, words = tmp_path / "settings.json", {"run": [], "query": ["{}"], "replay": ["/dev/null"]}[command]
    path.write_text(json.dumps({"workers": "2", "redis": {"url": "redis://127.0.0.1:1", "pasword": SECRET}, "prefix": 7, "tenants": {"a b": {}},
                                "kafka": {"bootstrap.servers": "127.0.0.1:1"}, "snapshot_intervall_ms": 1}), encoding="utf-8")
    code, out, err = run(binary, command, "-c", path, *words)
    assert (code, out) == (2, "")
    told = [line.strip().split(": ")[0] for line in err.splitlines()[1:]]
    assert sorted(told) == ["prefix", "redis.pasword", "snapshot_intervall_ms", "tenants.a b", "workers"], err
    for name, why in (("/nowhere.json", "cannot be read: No such file"), ("/etc", "cannot be read: Is a directory")):
        code, out, err = run(binary, command, "-c", name, *words)
        assert (code, out) == (2, "") and name in err and why in err


def test_the_environment_is_enough(binary, topics, redis_server, tmp_path):
    (tmp_path / "password").write_text(SECRET + "\n", encoding="utf-8")
    redis = redis_server(password=SECRET)
    into = settings_of(topics)
    env = {"CRM_REPORTD_KAFKA_BOOTSTRAP_SERVERS": topics.kafka.address, "CRM_REPORTD_REDIS_URL": redis.url,
           "CRM_REPORTD_REDIS_PASSWORD_FILE": str(tmp_path / "password"), "CRM_REPORTD_TOPICS_IN": ",".join(into["in"]),
           "CRM_REPORTD_TOPICS_REPORTS": into["reports"], "CRM_REPORTD_TOPICS_ALERTS": into["alerts"],
           "CRM_REPORTD_TOPICS_DEAD_LETTER": into["dead_letter"]}
    code, out, _ = run(binary, "check", env=env)
    assert code == 0, out


@pytest.mark.parametrize("words, message", [
    (["chek"], "did you mean check?"),
    (["check", "--ofline"], "did you mean --offline?"),
    (["check", "-c"], "needs a value"),
    (["check", "--offline=yes"], "takes no value"),
    (["check", "more"], 'unexpected "more"'),
    (["replay", "--query", "-", "-"], "only once"),
    (["replay", "-", "-"], "only once"),
    (["replay", "--query", "a", "--query", "b", "/dev/null"], '"a" and "b" are given by the same option'),
    (["replay", "--report", "pipeline", "--report=service", "/dev/null"], '"pipeline" and "service" are given by the same option'),
    ([], "which command?"),
    (["-x"], "unknown option -x"),
    (["help", "chek"], "did you mean check?"),
])
def test_wrong_usage(binary, words, message):
    code, out, err = run(binary, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert "--help" in err


def test_a_report_that_is_none_has_a_suggestion(binary):
    code, out, err = run(binary, "replay", "--report", "pipelin", "/dev/null")
    assert (code, out) == (2, "") and "did you mean pipeline?" in err


def test_every_command_teaches(binary):
    code, out, _ = run(binary, "--help")
    assert code == 0
    commands = [line.split()[0] for line in out.splitlines() if line.startswith("  ") and not line.startswith("  crm-reportd")]
    assert "check" in commands
    for command in commands:
        code, text, _ = run(binary, command, "--help")
        assert code == 0
        assert text.startswith("usage: crm-reportd %s" % command)
        assert "Exit codes:" in text and "Example" in text
        assert run(binary, "help", command)[1] == text


def test_version(binary):
    code, out, _ = run(binary, "--version")
    assert code == 0
    assert out.startswith("crm-reportd ")


@pytest.mark.parametrize("words", [["--help"], ["catalogue"], ["check", "--settings"], ["replay", "--report", "pipeline", EXAMPLE]])
def test_output_that_cannot_be_written_is_a_failure(binary, words):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([str(binary), *map(str, words)], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "standard output" in done.stderr


@pytest.mark.parametrize("closed", ["0<&-", "0<&- 1>&- 2>&-", "2>&- 0<&-"])
def test_no_file_takes_the_place_of_a_closed_standard_stream(binary, closed):
    """The events would be opened as what is closed, and read as requests."""
    done = subprocess.run(["bash", "-c", 'exec "$0" replay --query - "$1" ' + closed, str(binary), str(EXAMPLE)],
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "2>&-" in closed or "-: Bad file descriptor" in done.stderr
