"""Sends a file as an AudioJob through Kafka and prints its transcript.

usage: kafka_transcribe.py BOOTSTRAP_SERVERS REGISTRY_URL FILE
"""

import sys
import time
import uuid
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

SCHEMA = Path(__file__).resolve().parents[3] / "schemas/src/main/avro/AudioJob.avsc"

bootstrap, registry_url, path = sys.argv[1:4]
registry = SchemaRegistryClient({"url": registry_url})
serialize = AvroSerializer(registry, SCHEMA.read_text())
deserialize = AvroDeserializer(registry)

# Reads from where the topic ends now, so that the result can't be missed; without committing anything.
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "not-used", "isolation.level": "read_committed",
                     "enable.auto.commit": False})
partitions = [TopicPartition("transcripts", p) for p in consumer.list_topics("transcripts").topics["transcripts"].partitions]
for partition in partitions:
    partition.offset = consumer.get_watermark_offsets(partition)[1]
consumer.assign(partitions)

# Fields that are not named have the schema's defaults. Up to about 1 MB travels inside the record; larger audio is
# named by audio_uri (s3: or https: or file:, as the workers allow).
job_id = str(uuid.uuid4())
job = {"job_id": job_id, "audio": Path(path).read_bytes(), "word_timestamps": True, "submitted_at": int(time.time() * 1000),
       "metadata": {"file": path}}
producer = Producer({"bootstrap.servers": bootstrap})
producer.produce("audio-jobs", key=job_id, value=serialize(job, SerializationContext("audio-jobs", MessageField.VALUE)))
if producer.flush(30) > 0:
    sys.exit("Kafka did not take the job")

until = time.monotonic() + 600
while time.monotonic() < until:
    message = consumer.poll(1.0)
    if message is None or message.error() or message.key() != job_id.encode():
        continue
    transcript = deserialize(message.value(), SerializationContext("transcripts", MessageField.VALUE))
    if transcript["status"] != "COMPLETED":
        sys.exit(f"{transcript['error_code']}: {transcript['error_message']}")
    print(transcript["text"].strip())
    break
else:
    sys.exit("no transcript within 10 minutes")
consumer.close()
