// Of the C ABI: lanes of the encoder.
#include "capi/internal.h"
#include "device/cpu/copies.h"

using namespace amanuensis::capi;

am_status am_lane_create(const am_model* model, int32_t threads, am_lane** lane) {
  return guarded([&] {
    need(model, "model");
    need_range(threads, 1, 256, "threads");
    need(lane, "lane") = new am_lane(model->model, threads);
  });
}

am_status am_lane_create_on(const am_model* model, int32_t threads, am_device* device, am_lane** lane) {
  return guarded([&] {
    need(model, "model");
    need(device, "device");
    need_range(threads, 1, 256, "threads");
    if (!model->model->for_device)
      throw amanuensis::BadState("the model was not opened for a device, or its profile is not int8");
    need(lane, "lane") = new am_lane(model->model, threads, device->device.get());
  });
}

void am_lane_close(am_lane* lane) { delete lane; }

am_status am_encode(am_lane* lane, const float* mel, int64_t row_stride, int32_t content_frames,
                    float* states, float* block_outputs) {
  return guarded([&] {
    need(lane, "lane");
    need(mel, "mel");
    need_range(content_frames, 0, AM_WINDOW_FRAMES, "content_frames");
    need_range(row_stride, AM_WINDOW_FRAMES, INT64_MAX / 1024, "row_stride");
    need(states, "states");
    const amanuensis::CoreLoad::Share share(lane->model->load);
    lane->encoder.encode(mel, row_stride, content_frames, states, block_outputs);
    const auto& shape = lane->model->decoder_shape;
    amanuensis::count_copy(int64_t{4} * shape.frames * shape.state);
  });
}

am_status am_lane_rows(const am_lane* lane, int32_t content_frames, int32_t* rows) {
  return guarded([&] {
    need_range(content_frames, 0, AM_WINDOW_FRAMES, "content_frames");
    need(rows, "rows");
    *rows = need(lane, "lane").encoder.rows(content_frames).rows();
  });
}

am_status am_cross_kv(am_lane* lane, const float* states, int32_t content_frames, void* cross_kv) {
  return guarded([&] {
    need(lane, "lane");
    need(states, "states");
    need_range(content_frames, 0, AM_WINDOW_FRAMES, "content_frames");
    need_aligned(cross_kv, "cross_kv");
    const amanuensis::CoreLoad::Share share(lane->model->load);
    const amanuensis::KeptRows rows = lane->encoder.rows(content_frames);
    if (!rows.all()) rows.log_weights(1.0f, lane->log_weights);
    lane->cross.write(states, rows.rows(), rows.all() ? nullptr : lane->log_weights.data(), cross_kv,
                      lane->gemm.get());
  });
}
