#include "model/whisper_model.h"

#include "model/errors.h"
#include "model/safetensors.h"

namespace amanuensis {

namespace {
constexpr int kHead = 64;
constexpr PaddingPolicy kDefaultPadding{6, 32};  // of the fast profile
constexpr int kMostLayers = 64;                  // twice those of the largest checkpoint

std::string show(const std::vector<int64_t>& shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); i++) s += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return s + "]";
}

void require(const Safetensors& file, const std::string& name, const std::vector<int64_t>& shape) {
  if (file.shape(name) != shape)
    throw BadModel("tensor '" + name + "' has shape " + show(file.shape(name)) + ", expected " + show(shape));
}

int count_layers(const Safetensors& file, const std::string& prefix) {
  int n = 0;
  while (n < kMostLayers && file.has(prefix + std::to_string(n) + ".fc1.weight")) n++;
  return n;
}

void require_norm(const Safetensors& file, const std::string& name, int64_t d) {
  require(file, name + ".weight", {d});
  require(file, name + ".bias", {d});
}

void require_attention(const Safetensors& file, const std::string& name, int64_t d) {
  for (const char* p : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
    require(file, name + "." + p + ".weight", {d, d});
    if (std::string(p) != "k_proj") require(file, name + "." + p + ".bias", {d});  // keys have no bias
  }
}

void require_block(const Safetensors& file, const std::string& l, int64_t d, bool cross) {
  require_norm(file, l + "self_attn_layer_norm", d);
  require_attention(file, l + "self_attn", d);
  if (cross) {
    require_norm(file, l + "encoder_attn_layer_norm", d);
    require_attention(file, l + "encoder_attn", d);
  }
  require_norm(file, l + "final_layer_norm", d);
  require(file, l + "fc1.weight", {4 * d, d});
  require(file, l + "fc1.bias", {4 * d});
  require(file, l + "fc2.weight", {d, 4 * d});
  require(file, l + "fc2.bias", {d});
}

EncoderShape check_encoder(const Safetensors& file) {
  const std::string e = "model.encoder.";
  const auto& conv = file.shape(e + "conv1.weight");
  if (conv.size() != 3 || conv[0] < kHead || conv[0] > 4096 || conv[0] % kHead != 0 ||
      (conv[1] != 80 && conv[1] != 128))
    throw BadModel("'" + e + "conv1.weight' has shape " + show(conv) + ": not a Whisper encoder");
  const int64_t d = conv[0];
  EncoderShape s{static_cast<int>(conv[1]), AM_WINDOW_FRAMES / 2, static_cast<int>(d),
                 static_cast<int>(d / kHead), count_layers(file, e + "layers.")};
  if (s.layers == 0) throw BadModel("no encoder layers");
  require(file, e + "conv1.weight", {d, s.mels, 3});
  require(file, e + "conv1.bias", {d});
  require(file, e + "conv2.weight", {d, d, 3});
  require(file, e + "conv2.bias", {d});
  require(file, e + "embed_positions.weight", {s.context, d});
  require_norm(file, e + "layer_norm", d);
  for (int i = 0; i < s.layers; i++) require_block(file, e + "layers." + std::to_string(i) + ".", d, false);
  return s;
}

// Attention heads that follow the audio, from openai/whisper's list for `base` and `base.en`; for other sizes
// its default, all heads of the last half of the layers.
std::vector<std::pair<int, int>> alignment_heads(int layers, int heads, bool multilingual) {
  if (layers == 6 && heads == 8 && multilingual)
    return {{3, 1}, {4, 2}, {4, 3}, {4, 7}, {5, 1}, {5, 2}, {5, 4}, {5, 6}};
  if (layers == 6 && heads == 8) return {{3, 3}, {4, 7}, {5, 1}, {5, 5}, {5, 7}};
  std::vector<std::pair<int, int>> all;
  for (int l = layers / 2; l < layers; l++)
    for (int h = 0; h < heads; h++) all.emplace_back(l, h);
  return all;
}

DecoderShape check_decoder(const Safetensors& file, const EncoderShape& encoder) {
  const std::string p = "model.decoder.";
  const int64_t d = encoder.state;
  const auto& embedding = file.shape(p + "embed_tokens.weight");
  if (embedding.size() != 2 || embedding[1] != d || embedding[0] < 51864 || embedding[0] > 51866)
    throw BadModel("'" + p + "embed_tokens.weight' has shape " + show(embedding) +
                   ": not a Whisper vocabulary");
  DecoderShape s{};
  s.vocabulary = static_cast<int>(embedding[0]);
  const auto& positions = file.shape(p + "embed_positions.weight");
  if (positions.size() != 2 || positions[1] != d || positions[0] < 8 || positions[0] > 4096)
    throw BadModel("'" + p + "embed_positions.weight' has shape " + show(positions));
  s.context = static_cast<int>(positions[0]);
  s.state = encoder.state;
  s.heads = encoder.heads;
  s.layers = count_layers(file, p + "layers.");
  s.frames = encoder.context;
  if (s.layers == 0) throw BadModel("no decoder layers");
  require_norm(file, p + "layer_norm", d);
  for (int i = 0; i < s.layers; i++) require_block(file, p + "layers." + std::to_string(i) + ".", d, true);
  // Ids follow from the vocabulary (openai/whisper tokenizer.py): text, eot, sot, languages, six tasks,
  // timestamps.
  const bool multilingual = s.vocabulary >= 51865;
  s.languages = multilingual ? s.vocabulary - 51766 : 0;
  s.eot = multilingual ? 50257 : 50256;
  s.sot = s.eot + 1;
  const int after_languages = multilingual ? s.sot + s.languages : s.sot + 99;
  s.no_speech = after_languages + 5;
  s.no_timestamps = after_languages + 6;
  s.timestamp_begin = after_languages + 7;
  s.alignment_heads = alignment_heads(s.layers, s.heads, multilingual);
  return s;
}
}  // namespace

std::shared_ptr<const WhisperModel> load_whisper(const std::string& path, const am_model_options& options) {
  const Safetensors file(path);
  auto m = std::make_shared<WhisperModel>(options.cores);
  m->profile = static_cast<am_profile>(options.profile);
  const bool fast = m->profile == AM_PROFILE_FAST;
  m->for_device = options.for_device != 0 && fast;
  m->encoder_shape = check_encoder(file);
  m->decoder_shape = check_decoder(file, m->encoder_shape);
  const TensorReader read = [&file](const std::string& name) { return file.read(name); };
  const auto of = [&](am_part part) {
    return fast && (options.f32_parts & part) == 0 ? Arithmetic::kInt8 : Arithmetic::kF32;
  };
  EncoderOptions encoder;
  encoder.arithmetic = of(AM_PART_ENCODER);
  encoder.exact_attention = of(AM_PART_ATTENTION) == Arithmetic::kF32;
  encoder.keep_plain = m->for_device;
  if (fast)
    encoder.padding = options.padding_stride == 0
                          ? kDefaultPadding
                          : PaddingPolicy{options.padding_stride, options.padding_margin};
  m->encoder = load_encoder(m->encoder_shape, encoder, read);
  m->decoder = load_decoder(m->decoder_shape, {of(AM_PART_DECODER), of(AM_PART_LOGITS), of(AM_PART_CROSS_KV)},
                            file, m->for_device);
  m->mel = std::make_unique<const LogMel>(m->encoder_shape.mels);
  return m;
}

}  // namespace amanuensis
