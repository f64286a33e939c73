// Stands in for FFmpeg's libavdevice beside the ffmpeg executable of org.bytedeco:ffmpeg. The real one links
// PulseAudio, ALSA and X11, which servers do not have, and would let a job name capture devices. We decode
// files: there are no devices.
extern "C" {
#define EXPORT __attribute__((visibility("default")))
EXPORT const void* av_input_audio_device_next(const void*) { return nullptr; }
EXPORT const void* av_input_video_device_next(const void*) { return nullptr; }
EXPORT const void* av_output_audio_device_next(const void*) { return nullptr; }
EXPORT const void* av_output_video_device_next(const void*) { return nullptr; }
EXPORT const char* avdevice_configuration() { return ""; }
EXPORT void avdevice_free_list_devices(void**) {}
EXPORT int avdevice_list_input_sources(const void*, const char*, void*, void**) { return -1; }
EXPORT int avdevice_list_output_sinks(const void*, const char*, void*, void**) { return -1; }
EXPORT void avdevice_register_all() {}
EXPORT unsigned avdevice_version() { return 62U << 16; }
}
