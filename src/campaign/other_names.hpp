// What PyTorch, Keras, Optax and papers call the things of a campaign: who writes `beta1` means alpha, though `beta` is nearer.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {

/// The one of `known` that other programs call `name` (case, '_' and '-' ignored); empty if there is none.
std::string name_elsewhere(std::string_view name, const std::vector<std::string>& known);

/// The one of `known` that `name` most likely means: another program's name of it, else the nearest spelling; empty if none is near.
std::string meant_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace limrisk
