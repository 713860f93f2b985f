"""The Kafka adapters alone, in C against a broker of their own: tests/kafka/test_kafka_broker.c."""
import subprocess


def test_kafka_adapter(binary):
    program = binary.parent / "test_kafka_broker"
    assert program.exists(), "no %s beside the daemon" % program
    run = subprocess.run([str(program)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    assert run.returncode == 0, run.stdout
