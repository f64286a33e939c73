/*
 * amanuensis.h: the C ABI of the Whisper engine.
 *
 * The native side does mathematics on one window (at most 30 s of audio) or one decoding step; policy
 * (fallback, seek, segments, words) lives in the caller. Rules of this interface:
 *  - Every call returns an am_status; the message of a failure is am_last_error() of the same thread.
 *  - No C++ exception leaves the library. No call allocates memory of audio size: the caller owns every
 *    buffer passed in, and it must stay valid for as long as the comment at the parameter says.
 *  - Structs that may grow begin with struct_size, which the caller sets to sizeof(the struct it knows).
 *  - am_model is immutable and may be used by all threads. An am_lane and an am_decoder belong to one
 *    thread at a time. Lanes and decoders keep their model alive: handles may be closed in any order.
 *  - Batch invariance: the bits of one window's or one sequence's result do not depend on what else is
 *    computed beside it, nor on the number of threads.
 *  - All arrays are row-major and little-endian.
 */
#ifndef AMANUENSIS_H
#define AMANUENSIS_H

#include <stdint.h>

#if defined(__GNUC__)
#define AM_API __attribute__((visibility("default")))
#else
#define AM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define AM_ABI_VERSION 4

/* Geometry shared by all Whisper checkpoints (openai/whisper audio.py). */
#define AM_SAMPLE_RATE 16000
#define AM_HOP 160
#define AM_WINDOW_FRAMES 3000 /* mel frames of 10 ms in a window of 30 s */
#define AM_MAX_TOP_K 16
#define AM_MAX_DRAFT 8

typedef enum am_status {
  AM_OK = 0,
  AM_INVALID_ARGUMENT = 1, /* a null pointer, a wrong size, a token outside the vocabulary */
  AM_IO = 2,               /* a file can't be opened, read or mapped */
  AM_BAD_MODEL = 3,        /* the file is not a Whisper model, or is damaged */
  AM_OUT_OF_MEMORY = 4,
  AM_UNSUPPORTED = 5, /* this machine or this build can't do it */
  AM_BAD_STATE = 6,   /* a slot that is not open, more tokens than the context holds */
  AM_INTERNAL = 7
} am_status;

typedef enum am_profile {
  AM_PROFILE_REFERENCE = 0, /* fp32 throughout: token-exact with openai/whisper */
  AM_PROFILE_FAST = 1       /* int8 / bf16 as the machine offers */
} am_profile;

typedef struct am_model am_model;
typedef struct am_lane am_lane;
typedef struct am_decoder am_decoder;

/* ABI number of the library: must equal AM_ABI_VERSION of the caller. */
AM_API int32_t am_abi_version(void);

/* Message of the last failed call on this thread ("" if none). Valid until the thread's next call. */
AM_API const char* am_last_error(void);

typedef struct am_cpu_info {
  uint32_t struct_size;
  int32_t logical_cpus;
  char brand[64];
  char isa[64];      /* what our own kernels use, for example "avx512_vnni" */
  char dnnl_isa[64]; /* what oneDNN reports as effective */
  char dnnl_version[32];
} am_cpu_info;

AM_API am_status am_cpu(am_cpu_info* info);

/* ---- model --------------------------------------------------------------------------------------- */

/* Parts of a model, to find what reduced arithmetic costs where. */
typedef enum am_part {
  AM_PART_ENCODER = 1, /* projections and MLP */
  AM_PART_DECODER = 2, /* projections and self-attention K/V */
  AM_PART_LOGITS = 4,
  AM_PART_CROSS_KV = 8,
  AM_PART_ATTENTION = 16 /* the encoder's attention and convolutions; in f32 with AM_PART_ENCODER too */
} am_part;

typedef struct am_model_options {
  uint32_t struct_size;
  int32_t profile; /* am_profile */
  int32_t
      f32_parts; /* am_part bits of what computes in f32 whatever the profile; 0 is the profile as it is */
  /* AM_PROFILE_FAST only: past a window's audio and padding_margin encoder rows (of 20 ms), where all rows
   * have the same input, keep every padding_stride-th row (of the window's last ones more) and let it weigh
   * as much as those it stands for. stride 0: the profile's default, with its margin; 1: every row. */
  int32_t padding_stride;
  int32_t padding_margin;
  /* 1: keeps int8 weights also in the form that devices take (AM_PROFILE_FAST only). Callers that know only
   * the members before it get 0. */
  int32_t for_device;
  /* How many cores the process may compute on, where that is fewer than the system shows (a container's
   * quota); 0: all that it shows. Lanes and decoders never count on more. */
  int32_t cores;
} am_model_options;

typedef struct am_model_info {
  uint32_t struct_size;
  int32_t profile;
  int32_t n_mels, n_audio_ctx, n_audio_state, n_audio_head, n_audio_layer;
  int32_t n_vocab, n_text_ctx, n_text_state, n_text_head, n_text_layer;
  int32_t multilingual; /* 1 if n_vocab >= 51865 */
  int32_t n_languages;  /* 99 for base; 0 if English only */
  int32_t eot, sot, timestamp_begin, no_speech, no_timestamps;
  int32_t n_alignment_heads;
  int64_t mel_bytes;      /* n_mels x 3000 f32 */
  int64_t encoder_bytes;  /* n_audio_ctx x n_audio_state f32 */
  int64_t cross_kv_bytes; /* one window's cross-attention K and V in the profile's own layout */
  int64_t weight_bytes;   /* resident weights in the run-time layout */
} am_model_info;

/* Opens a safetensors file (Hugging Face tensor names: model.encoder.conv1.weight ...; F16 or F32), mapped
 * into memory. Every offset, shape and dtype is checked before use. */
AM_API am_status am_model_open(const char* path, const am_model_options* options, am_model** model);
AM_API am_status am_model_get_info(const am_model* model, am_model_info* info);
AM_API void am_model_close(am_model* model); /* null is fine */

/* ---- log-mel (openai/whisper audio.py) ------------------------------------------------------------ */

/* Frame f covers samples [160 f - 200, 160 f + 200): reflected at the start of the file, zero after its end
 * (transcribe() appends 30 s of zeros). A file has samples/160 content frames (floor). */

/* model may be null in both calls: then 80 mel filters, as all checkpoints before large-v3 have. */

/* *max = largest log10(max(mel, 1e-10)) over frames [first_frame, first_frame + frames). The global maximum
 * of a file is the maximum over all its content frames (at least -10, the value of the appended zeros). */
AM_API am_status am_mel_max(const am_model* model, const int16_t* pcm, int64_t samples, int64_t first_frame,
                            int64_t frames, float* max);

/* Writes one window in the normalised log domain: mel[m * row_stride + t], m < n_mels, t < 3000 (row_stride
 * >= 3000, in floats). Frames [0, frames) come from the audio (frames that start after its end are silence),
 * frames [frames, 3000) are literal 0.0 as pad_or_trim leaves them. */
AM_API am_status am_mel_window(const am_model* model, const int16_t* pcm, int64_t samples,
                               int64_t first_frame, int32_t frames, float global_max, float* mel,
                               int64_t row_stride);

/* ---- devices: the encoder's products on an NPU ------------------------------------------------------- */

/* An XDNA2 NPU behind XRT. Products of windows that it takes run there; everything else, and every product
 * that it fails at, runs on the lane's thread: the bits are the same. Thread-safe. */
typedef struct am_device am_device;

typedef struct am_device_options {
  uint32_t struct_size;
  int32_t timeout_ms;  /* host's limit for one command, at least 6000: the driver's own is 2000 to 4000 */
  int32_t probe_ms;    /* pause before a device that was given up is tried again; doubles up to 5 minutes */
  int32_t max_windows; /* on the device at once, at most */
  int32_t check_every; /* one product of so many is compared with the CPU's; 0: none */
  int32_t row_checks;  /* 1: every row of every product is held to a checksum */
  int32_t keep_trying; /* 1: a device that doesn't open now is tried again in the background */
  int32_t spill;       /* 1: windows go to the CPU where that is faster */
  const char* backend; /* path of libamanuensis_xdna2.so; "" if this build has none */
  const char* xrt; /* path of libxrt_coreutil.so.2; "": XILINX_XRT, the loader's search, /opt/xilinx/xrt */
  /* A program a line, fields separated by tabs: xclbin, kernel name, instructions, M, K, N. */
  const char* programs;
} am_device_options;

typedef enum am_device_state {
  AM_DEVICE_READY = 0,
  AM_DEVICE_RECOVERING = 1,
  AM_DEVICE_DOWN = 2
} am_device_state;

typedef struct am_device_stats {
  uint32_t struct_size;
  int32_t state; /* am_device_state */
  int32_t queued, deepest, quarantined, reserved;
  int64_t generation; /* times that it was opened */
  int64_t products, operations, busy_ns, wall_ns;
  int64_t faults, rebuilds, returns, timeouts, wrong_products, cross_checks;
  int64_t windows, spilled_windows, cpu_products;
  double device_window_ms, cpu_window_ms; /* what the next window would take; 0: not known */
  char kind[32];                          /* of the last fault, for metrics */
  char error[256], hint[256];             /* the last fault, and what its operator can do */
  char name[64], xrt[160];                /* the device; the XRT library that is in use */
  int64_t dispatches, switches;           /* runs submitted, slices counted; changes of the program */
} am_device_stats;

/* Opens the device, runs the known answers. AM_UNSUPPORTED with the reason and a hint if that fails. */
AM_API am_status am_device_open(const am_device_options* options, am_device** device);
AM_API am_status am_device_get_stats(am_device* device, am_device_stats* stats);
/* Mean milliseconds of a product on the device alone, over `repeats`; AM_UNSUPPORTED if it has no program. */
AM_API am_status am_device_time(am_device* device, int64_t m, int64_t k, int64_t n, int32_t repeats,
                                double* milliseconds);
/* Lanes keep what they need of it. */
AM_API void am_device_close(am_device* device);

/* ---- encoder -------------------------------------------------------------------------------------- */

/* A lane holds the scratch memory of one window in the encoder. threads (>= 1): a window computes on the
 * calling thread, and with more than one here also on helpers that all lanes of the model share, on cores on
 * which no lane and no decoder of the model computes; so a lane beside others has none. The first lane with
 * more than one determines how many helpers there are (threads - 1). */
AM_API am_status am_lane_create(const am_model* model, int32_t threads, am_lane** lane);
/* The same over a device; the model must have been opened for_device. */
AM_API am_status am_lane_create_on(const am_model* model, int32_t threads, am_device* device, am_lane** lane);
AM_API void am_lane_close(am_lane* lane);

/* mel as am_mel_window writes it -> states: n_audio_ctx x n_audio_state f32, after the final LayerNorm.
 * content_frames: the frames of mel from this one on are all alike (padding or digital silence); 3000 if
 * unknown. With padding_stride > 1 fewer states than n_audio_ctx are written: first one for every 20 ms of
 * audio, then those that stand for the padding.
 * block_outputs may be null; otherwise n_audio_layer x states x n_audio_state f32 (for oracle tests). */
AM_API am_status am_encode(am_lane* lane, const float* mel, int64_t row_stride, int32_t content_frames,
                           float* states, float* block_outputs);

/* Out: states that am_encode writes for content_frames; n_audio_ctx unless padding is thinned out. */
AM_API am_status am_lane_rows(const am_lane* lane, int32_t content_frames, int32_t* rows);

/* states of am_encode with the same content_frames -> cross-attention K and V of all decoder layers:
 * cross_kv_bytes, 64-byte aligned, opaque layout. */
AM_API am_status am_cross_kv(am_lane* lane, const float* states, int32_t content_frames, void* cross_kv);

/* ---- decoder: one step serves all live sequences --------------------------------------------------- */

/* max_slots sequences at most. Self-attention K/V of the slots belongs to the decoder. */
AM_API am_status am_decoder_create(const am_model* model, int32_t max_slots, int32_t threads,
                                   am_decoder** decoder);
AM_API void am_decoder_close(am_decoder* decoder);

/* Logit filters of one sequence (openai/whisper decoding.py: SuppressBlank, SuppressTokens,
 * ApplyTimestampRules, in this order). */
typedef struct am_slot_options {
  uint32_t struct_size;
  int32_t suppress_blank;        /* 0 or 1 */
  int32_t timestamps;            /* 1: ApplyTimestampRules; 0: without_timestamps */
  int32_t max_initial_timestamp; /* index in steps of 0.02 s (50 = 1.0 s); -1: no limit */
  int32_t n_suppress;
  const int32_t* suppress; /* n_suppress token ids; copied */
} am_slot_options;

/* Opens a sequence over one window's cross_kv, which must stay valid until the slot is closed. */
AM_API am_status am_slot_open(am_decoder* decoder, const void* cross_kv, const am_slot_options* options,
                              int32_t* slot);

/* A second sequence with the same cross_kv, options, tokens and self-attention K/V as src (best-of, beams).
 */
AM_API am_status am_slot_fork(am_decoder* decoder, int32_t src, int32_t* slot);

/* Beam reordering: afterwards slots[i] continues what slots[sources[i]] was (indices into slots, 0..n-1).
 * All n slots must have the same length and one origin (forks of one slot). Copies tables, never K/V. */
AM_API am_status am_slots_reorder(am_decoder* decoder, const int32_t* slots, const int32_t* sources,
                                  int32_t n);

AM_API am_status am_slot_close(am_decoder* decoder, int32_t slot);

typedef struct am_step {
  int32_t slot;
  int32_t n_tokens;      /* tokens appended in this step: the whole prompt first, then one by one */
  const int32_t* tokens; /* valid during the call */
  int32_t prompt;        /* 1: these are the initial tokens (sample_begin = the length after them) */
  int32_t no_speech_row; /* index in tokens whose row gives no_speech_prob (sot); -1: not wanted */
  int32_t top_k;         /* 0..AM_MAX_TOP_K candidates wanted (beam search) */
  float temperature;     /* 0: argmax; > 0: a sample of softmax(logits / temperature) */
  double uniform;        /* in [0, 1): the random number of the sample */
  float* raw_logits;     /* null, or n_vocab f32: unfiltered logits of the last row */
  /* A guess at the tokens that will be chosen next (speculative decoding, arXiv:2211.17192): the step goes on
   * behind it as far as each choice is the guessed token, with the same bits as one step for each. Text and
   * timestamps only, and only with temperature 0, no candidates and no raw_logits. */
  const int32_t* draft;
  int32_t n_draft; /* 0..AM_MAX_DRAFT */
} am_step;

typedef struct am_step_result {
  int32_t token;        /* chosen from the filtered logits */
  float logprob;        /* log_softmax(filtered logits, T = 1)[token] */
  float no_speech_prob; /* softmax(raw logits of no_speech_row)[no_speech]; NaN if not wanted */
  int32_t n_top;
  int32_t top_tokens[AM_MAX_TOP_K]; /* descending log-probability, ties by lower id */
  float top_logprobs[AM_MAX_TOP_K];
  float margin; /* best minus second-best filtered logit: how near to a tie the choice was */
  /* So many tokens of the draft were chosen, one after the other, and belong to the slot now; token, logprob
   * and margin above are those of the choice behind them. */
  int32_t n_confirmed;
  float confirmed_logprobs[AM_MAX_DRAFT];
  float confirmed_margins[AM_MAX_DRAFT];
} am_step_result;

/* One decoding step for n different slots. On an error no slot has advanced. */
AM_API am_status am_decode_step(am_decoder* decoder, const am_step* steps, am_step_result* results,
                                int32_t n);

/* softmax over the language tokens after [sot] alone: probabilities[n_languages], in token order. Uses no
 * slot that is open. */
AM_API am_status am_detect_language(am_decoder* decoder, const void* cross_kv, float* probabilities);

/* Threads of the decoder's steps from now on at most, 1 to what am_decoder_create was given. Fewer work while
 * lanes or other decoders of the model compute. Changes no bit of any result. */
AM_API am_status am_decoder_use_threads(am_decoder* decoder, int32_t threads);

/* What a decoder has done since it was created. */
typedef struct am_decoder_stats {
  uint32_t struct_size;
  int32_t threads;          /* of the last step */
  int64_t steps, tokens;    /* calls of am_decode_step, tokens they chose */
  int64_t rows, logit_rows; /* tokens run through the layers, and through the vocabulary projection */
  int64_t step_ns;          /* am_decode_step in all, of which: */
  int64_t choice_ns;        /* filters, log-probabilities, choice */
  int64_t projections_ns, self_attention_ns, cross_attention_ns, logits_ns; /* these of alignment too */
  int64_t alignments, aligned_tokens, align_ns;
  int64_t weight_bytes, cross_kv_bytes, self_kv_bytes; /* read from memory if no cache held any of it */
  int64_t memory_bytes;       /* self-attention K/V and scratch; constant under a steady load */
  int64_t drafted, confirmed; /* tokens of drafts, and those of them that were chosen */
} am_decoder_stats;

AM_API am_status am_decoder_get_stats(const am_decoder* decoder, am_decoder_stats* stats);

/* ---- benchmark -------------------------------------------------------------------------------------- */

/* Measures the engine's parts on this machine for about a minute, which should be idle otherwise. json: a
 * NUL-terminated text of at most capacity bytes (64 KB are plenty). threads: for what a lone window may use.
 */
AM_API am_status am_bench(const am_model* model, int32_t threads, char* json, int64_t capacity);

/* ---- alignment (openai/whisper timing.py) ----------------------------------------------------------- */

typedef struct am_align_request {
  uint32_t struct_size;
  int32_t n_sot;
  const int32_t* sot_sequence; /* [sot, language, task], without no_timestamps */
  int32_t n_text;
  const int32_t* text; /* text tokens (< eot) of all segments of the window */
  const void* cross_kv;
  int32_t frames;        /* mel frames of the window that are audio (segment_size) */
  int32_t* start_frames; /* out: n_text + 1; frame (0.02 s) at which DTW enters row k */
  float* probabilities;  /* out: n_text */
} am_align_request;

/* Teacher-forced pass over [sot_sequence, no_timestamps, text, eot], then DTW per request. */
AM_API am_status am_align(am_decoder* decoder, const am_align_request* requests, int32_t n);

/* ---- copies of audio-sized data --------------------------------------------------------------------- */

/* How often a buffer of audio size (PCM, log-mel, encoder states) was filled by the calling thread since it
 * started, and with how many bytes. Calls above count what they write; the caller counts its own PCM. */
AM_API int64_t am_copies(void);
AM_API int64_t am_copied_bytes(void);
AM_API void am_count_copy(int64_t bytes);

/* ---- time in matrix products ------------------------------------------------------------------------- */

/* Nanoseconds that all threads of this process spent in matrix products on the CPU: of encoders
 * (decoder = 0), counted by thread, or of decoders (decoder = 1), counted once for the threads of a batch. */
AM_API int64_t am_product_nanos(int32_t decoder);

#ifdef __cplusplus
}
#endif
#endif /* AMANUENSIS_H */
