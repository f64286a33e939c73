// Transcribes a file with OpenAI's own client; only baseURL differs from OpenAI's service.
// usage: node openai_transcribe.mjs BASE_URL FILE [json|text|srt|vtt|words|stream]
import fs from 'node:fs';
import OpenAI from 'openai';

const [baseURL, path, form = 'json'] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none needed unless the gateway has keys' });
const request = { model: 'whisper-1', file: fs.createReadStream(path) };

if (form === 'stream') {
  const events = await client.audio.transcriptions.create({ ...request, stream: true });
  for await (const event of events) {
    if (event.type === 'transcript.text.delta') process.stdout.write(event.delta);
  }
  process.stdout.write('\n');
} else if (form === 'words') {
  const result = await client.audio.transcriptions.create({
    ...request,
    response_format: 'verbose_json',
    timestamp_granularities: ['word', 'segment'],
  });
  for (const w of result.words) console.log(`${w.start.toFixed(2)}\t${w.end.toFixed(2)}\t${w.word}`);
} else {
  const result = await client.audio.transcriptions.create({ ...request, response_format: form });
  console.log(form === 'json' ? result.text : result);
}
