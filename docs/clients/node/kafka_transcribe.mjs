// Sends a file as an AudioJob through Kafka and prints its transcript.
// usage: node kafka_transcribe.mjs BOOTSTRAP_SERVERS REGISTRY_URL FILE
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { decompress } from 'fzstd';
import kafkajs from 'kafkajs';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
// Workers compress transcripts with zstd, which KafkaJS leaves to others.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({ decompress: async (bytes) => Buffer.from(decompress(bytes)) });

const [brokers, registryUrl, path] = process.argv.slice(2);
const schema = process.env.AUDIO_JOB_SCHEMA ?? new URL('../../../schemas/src/main/avro/AudioJob.avsc', import.meta.url);

const kafka = new Kafka({ clientId: 'example', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const registry = new SchemaRegistry({ host: registryUrl });
const { id: schemaId } = await registry.register(
  { type: SchemaType.AVRO, schema: fs.readFileSync(schema, 'utf8') },
  { subject: 'audio-jobs-value' },
);

// Where the topic ends before the job is sent, so that the result can't be missed.
const admin = kafka.admin();
await admin.connect();
const ends = await admin.fetchTopicOffsets('transcripts');
await admin.disconnect();

// Fields that are not named have the schema's defaults. Up to about 1 MB travels inside the record; larger audio is
// named by audio_uri (s3: or https: or file:, as the workers allow).
const jobId = randomUUID();
const job = {
  job_id: jobId,
  audio: fs.readFileSync(path),
  word_timestamps: true,
  submitted_at: Date.now(),
  metadata: { file: path },
};
const producer = kafka.producer();
await producer.connect();
await producer.send({
  topic: 'audio-jobs',
  messages: [{ key: jobId, value: await registry.encode(schemaId, job) }],
});
await producer.disconnect();

// KafkaJS reads through a group only; this one is new, and hides what is not committed, as by default.
const consumer = kafka.consumer({ groupId: `example-${jobId}` });
await consumer.connect();
await consumer.subscribe({ topic: 'transcripts' });
const transcript = await new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('no transcript within 10 minutes')), 600_000).unref();
  consumer
    .run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        if (message.key?.toString() === jobId) resolve(await registry.decode(message.value));
      },
    })
    .then(() => ends.forEach(({ partition, offset }) => consumer.seek({ topic: 'transcripts', partition, offset })))
    .catch(reject);
});
await consumer.disconnect();
if (transcript.status !== 'COMPLETED') throw new Error(`${transcript.error_code}: ${transcript.error_message}`);
console.log(transcript.text.trim());
