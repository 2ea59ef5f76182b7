// Names of a campaign's choices, in the order of their enumerations, and which optimizer has which parameter.
// Description, labels and campaign reader share them, so that a name means the same everywhere.
#pragma once
#include <array>

#include "campaign/cell.hpp"

namespace limrisk {

inline constexpr std::array precision_names{"float32", "float64"};
inline constexpr std::array activation_names{"relu", "power_relu", "leaky_relu", "clipping", "softplus", "logistic", "tanh"};
inline constexpr std::array optimizer_names{"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam"};
inline constexpr std::array law_names{"uniform", "normal"};
inline constexpr std::array initialization_names{"pytorch",       "kaiming_uniform", "kaiming_normal", "xavier_uniform",
                                                 "xavier_normal", "standard_normal", "uniform"};

template <class Enum, std::size_t Size>
constexpr const char* name_of(Enum value, const std::array<const char*, Size>& names) {
    return names[static_cast<std::size_t>(value)];
}

constexpr bool has_alpha(kernels::OptimizerKind kind) {
    return kind == kernels::OptimizerKind::Momentum || kind == kernels::OptimizerKind::Nesterov || kind == kernels::OptimizerKind::Adam;
}
constexpr bool has_beta(kernels::OptimizerKind kind) {
    return kind == kernels::OptimizerKind::Rmsprop || kind == kernels::OptimizerKind::Adadelta || kind == kernels::OptimizerKind::Adam;
}
constexpr bool has_epsilon(kernels::OptimizerKind kind) { return kind >= kernels::OptimizerKind::Adagrad; }
constexpr const char* beta_name(kernels::OptimizerKind kind) { return kind == kernels::OptimizerKind::Adadelta ? "rho" : "beta"; }

}  // namespace limrisk
