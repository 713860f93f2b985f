"""Puts lines KEY<tab>TOPIC<tab>JSON into topics as fast as they go, and reads them once, so that every run finds a warm broker."""
from confluent_kafka import Consumer, Producer


def load(address, file):
    """(their tenants, those whose events end a partition). The settings are those of the peers' loader: the same batches, compression and partitioner."""
    failed, tenants, lasts = [], set(), {}

    def delivered(error, message):
        if error:
            failed.append(error)
        place = message.topic(), message.partition()
        if message.offset() >= lasts.get(place, (-1,))[0]:
            lasts[place] = message.offset(), message.key().decode()

    producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random", "enable.idempotence": True, "linger.ms": 50,
                         "batch.size": 500000, "batch.num.messages": 10000, "queue.buffering.max.messages": 500000,
                         "compression.codec": "lz4", "on_delivery": delivered})
    with open(file, "rb") as lines:
        for n, line in enumerate(lines):
            key, topic, value = line.rstrip(b"\n").split(b"\t", 2)
            tenants.add(key.decode())
            while True:
                try:
                    producer.produce(topic.decode(), value, key)
                    break
                except BufferError:
                    producer.poll(0.1)
            if not n % 1000:
                producer.poll(0)
    assert producer.flush(120) == 0 and not failed, failed[:3]
    return sorted(tenants), {tenant for _, tenant in lasts.values()}


def read_once(address, topics, n):
    consumer = Consumer({"bootstrap.servers": address, "group.id": "warm-up", "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe(topics)
    while n > 0:
        n -= len(consumer.consume(10000, 1))
    consumer.close()
