// How weights come from a file to those who pack them.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace amanuensis {

/// Reads a tensor of the model as f32, row-major; throws BadModel if it is missing.
using TensorReader = std::function<std::vector<float>(const std::string& name)>;

}  // namespace amanuensis
