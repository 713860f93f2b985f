"""`verify`: equal on a good state, with the daemon running; whatever is changed in Redis is named, and nothing else."""
import json
import subprocess
import sys

import pytest
from servers import TESTS
from stream import Feed, settle

EVENTS = 8000


@pytest.fixture
def counted(tmp_path, topics, redis_server, daemon):
    """(daemon, its Redis, the feed, rows not yet sent): most of a history of three tenants is counted."""
    rows, settings = tmp_path / "events.tsv", tmp_path / "settings.json"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", "5", "--events", str(EVENTS), "--tenants", "3",
                    "--zones", "Europe/Berlin,America/New_York,UTC", "--repeat", "2%", "--late", "5%", "--bad", "1%", "--out", rows,
                    "--settings", settings], check=True)
    clock = settings.with_suffix(".json.as_of").read_text().strip()
    redis = redis_server()
    running = daemon(topics, redis, json.loads(settings.read_text())["tenants"], clock).start()
    lines, feed = rows.read_text(encoding="utf-8").splitlines(keepends=True), Feed(topics)
    feed.rows(lines[:-1000])
    feed.flush()
    settle(topics, running, redis)
    return running, redis, feed, lines[-1000:]


def verified(daemon, *words):
    """(exit status, {tenant: lines of differences}, the lines about tenants, stderr)"""
    status, out, err = daemon.command("verify", *words)
    assert status in (0, 4), "exit status %d: %s" % (status, err)
    *lines, last = out.splitlines()
    about = [line for line in lines if " counters, " in line]
    differences = {}
    for line in lines:
        if line not in about:
            tenant, text = line.split(": ", 1)
            differences.setdefault(tenant, []).append(text)
    assert last.endswith("difference" if last.split()[2] == "1" else "differences")
    return status, differences, about, err


def cell_of(redis, tenant, fact):
    """A day's field of the fact: (key, day, field, value)"""
    for key in sorted(redis.client.scan_iter("crm:{%s}:day:*" % tenant, count=1000)):
        for field, value in sorted(redis.client.hgetall(key).items()):
            if field.split(":")[0] == fact:
                return key, key.rsplit("day:", 1)[1], field, value
    raise AssertionError("no %s" % fact)


def test_a_good_state_is_equal_with_the_daemon_at_work(counted):
    running, redis, feed, rest = counted
    status, differences, about, err = verified(running)
    assert (status, differences) == (0, {}) and len(about) == 4, (differences, about)  # three tenants, and default: bad events that name none
    assert all("equal to the topics and to its stored entities" in line for line in about)
    assert "100 %" in err, "progress is told"
    feed.rows(rest)
    status, differences, about, _ = verified(running)  # while these are being counted
    assert (status, differences) == (0, {}) and len(about) == 4, (differences, about)  # three tenants, and default: bad events that name none
    feed.flush()
    settle(feed.topics, running, redis)
    running.terminate()
    assert verified(running, "t01")[0] == 0, "without the daemon, too"
    assert verified(running, "--entities")[2][0].endswith("equal to what its stored entities say")


def test_a_counter_that_was_changed_is_named(counted):
    running, redis, _, _ = counted
    key, day, field, value = cell_of(redis, "t01", "deal_won")
    numbers = value.split("|")[0].split()
    redis.client.hset(key, field, " ".join([str(int(numbers[0]) + 5)] + numbers[1:]) + "".join("|" + part for part in value.split("|")[1:]))
    for words in ([], ["--entities"]):
        status, differences, about, _ = verified(running, *words)
        assert status == 4 and list(differences) == ["t01"] and len(differences["t01"]) == 1, (differences, about)
        told = differences["t01"][0]
        assert told.startswith("deal_won %s " % day), told
        assert "Redis has count=%d" % (int(numbers[0]) + 5) in told and "its entities say count=%s" % numbers[0] in told
        assert words or "the topics say count=%s" % numbers[0] in told
    assert any("1 difference" in line for line in about if line.startswith("t01"))


def test_counters_that_are_missing_or_too_many_are_named(counted):
    running, redis, _, _ = counted
    key, day, field, value = cell_of(redis, "t00", "call")
    redis.client.hdel(key, field)
    listed = sorted(redis.client.hkeys("crm:{t00}:list:open_deals"))
    redis.client.hdel("crm:{t00}:list:open_deals", listed[0])
    redis.client.hset("crm:{t00}:list:open_deals", listed[1], "1 2 3 4 5 6")
    redis.client.hset(key, "case_rated_by_nobody:1", "1")  # an unknown fact is none of ours
    redis.client.hset("crm:{t00}:now", "record", "7 3")
    redis.client.hset("crm:{t00}:month:" + sorted(redis.client.hkeys("crm:{t00}:months"))[0], "lead", "12")
    status, differences, _, _ = verified(running, "t00", "--most", "50")
    assert status == 4 and len(differences["t00"]) == 5, differences
    assert differences["t00"][3].startswith("%s in the list open_deals: Redis has nothing; it says " % listed[0])
    assert differences["t00"][4].startswith("%s in the list open_deals: Redis has 1 2 3 4 5 6; it says " % listed[1])
    assert "Redis has nothing" in differences["t00"][0] and differences["t00"][0].startswith("call " + day)
    assert any(line.startswith("record now: Redis has count=7 clean=3; the topics say nothing") for line in differences["t00"])
    assert any(line.startswith("lead 2") for line in differences["t00"])


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def records_of(page):
    """[(id, bytes)] of a page: two lengths, id, bytes, again and again."""
    found, at = [], 0
    while at < len(page):
        lengths = []
        for _ in range(2):
            shift = length = 0
            while True:
                byte, at = page[at], at + 1
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            lengths.append(length)
        found.append((page[at:at + lengths[0]], page[at + lengths[0]:at + sum(lengths)]))
        at += sum(lengths)
    return found


def page_of(records):
    return b"".join(varint(len(name)) + varint(len(data)) + name + data for name, data in records)


def test_an_entity_that_was_changed_is_named(counted):
    running, redis, _, _ = counted
    client = redis.client.__class__(unix_socket_path=str(redis.socket))
    key = next(key for key in client.scan_iter(b"crm:{t00}:call:*", count=1000) if len(records_of(client.get(key))) > 2)
    whole = client.get(key)
    (one, _), (other, _), (third, data), *rest = records_of(whole)
    client.set(key, page_of([(one, b"\x07what is that"), (other, data), (third, data)] + rest))
    status, differences, _, _ = verified(running, "t00", "--most", "1000")
    text = "\n".join(differences["t00"])
    assert status == 4 and "the call %s cannot be read in Redis" % one.decode() in text, text
    assert "the call %s is another in Redis than the topics say" % other.decode() in text and "the call %s " % third.decode() not in text, text
    client.set(key, page_of(records_of(whole)[1:]))
    assert "the call %s is in the topics, not in Redis" % one.decode() in "\n".join(verified(running, "t00")[1]["t00"])
    client.set(key, b"\xff\xff")
    assert "the call %s cannot be read in Redis" % key.decode() in "\n".join(verified(running, "t00")[1]["t00"])
    client.set(key, whole)
    assert verified(running, "t00")[0] == 0


def test_where_the_topics_no_longer_reach_back_the_entities_are_compared(counted):
    from confluent_kafka import TopicPartition
    running, redis, feed, _ = counted
    ends = {place: end for place, end in feed.topics.ends(feed.topics.into).items() if end}
    for future in feed.topics.admin.delete_records([TopicPartition(topic, part, end // 2) for (topic, part), end in ends.items()]).values():
        future.result(30)
    status, differences, about, _ = verified(running)
    assert (status, differences) == (0, {})
    assert all("equal to what its stored entities say; the topics cannot tell: it no longer reaches back" in line for line in about), about


def test_wrong_usage_and_servers_that_are_away(counted):
    running, redis, _, _ = counted
    assert running.command("verify", "nobody")[::2] == (1, 'crm-reportd verify: Redis knows no tenant "nobody"\n')
    status, out, err = running.command("verify", "none", "t01", "nobody")
    assert status == 1 and err.endswith('crm-reportd verify: Redis knows no tenant "none", "nobody"\n'), err
    assert [line.split(": ")[0] for line in out.splitlines()] == ["t01", "1 tenant, 0 differences"], "the others are compared all the same"
    assert running.command("verify", "--most", "0")[0] == 2
    redis.kill()
    status, out, err = running.command("verify")
    assert status == 1 and out == "" and "redis" in err.lower()


def test_a_tenant_of_whom_only_the_name_is_left_is_no_good_one(counted):
    """What the marks say is counted must be, also where the tenant has no positions any more."""
    running, redis, _, _ = counted
    running.terminate()  # marks stand at the end
    redis.client.delete(*redis.client.scan_iter("crm:{t01}:*", count=1000))
    status, differences, about, _ = verified(running)
    assert status == 4 and list(differences) == ["t01"], (differences, about)
    assert any(line.startswith("t01: 0 counters, 0 entities, at version 0: ") and "difference" in line for line in about), about


def test_what_cannot_be_read_is_told_with_its_tenant(counted):
    running, redis, _, _ = counted
    key = cell_of(redis, "t01", "call")[0]
    redis.client.delete(key)
    redis.client.set(key, "no hash")
    status, _, err = running.command("verify")
    assert status == 1 and "the tenant t01 cannot be read: redis" in err and "another type than expected" in err, err
