// A cell of a campaign: everything that a trial's trajectory depends on, in the campaign's own words.
#pragma once
#include <cstdint>
#include <string>

#include "kernels/kinds.hpp"

namespace limrisk {

/// Law of the input X: every coordinate independently the same.
struct InputLaw {
    enum class Kind { Uniform, Normal } kind = Kind::Uniform;
    std::int64_t dimension = 1;
    bool bounded = true;             ///< uniform always; normal: truncated to the box
    double low = 0, high = 1;        ///< box [low, high]^dimension, if bounded
    double mean = 0, deviation = 1;  ///< normal
};

struct InitializationRule {
    enum class Kind { Pytorch, KaimingUniform, KaimingNormal, XavierUniform, XavierNormal, StandardNormal, Uniform } kind = Kind::Pytorch;
    bool drawn_bias = true;
    double low = 0, high = 0;  ///< uniform
};

/// Evaluation rule: per axis for d <= 3 (a multiple of 4), points in all beyond.
struct EvaluationRule {
    std::int64_t check_nodes = 0;
    std::int64_t final_nodes = 0;  ///< d >= 2
};

/// One point of the sweep. `description` and `id` are filled by the campaign reader.
struct CellConfig {
    std::int64_t index = 0;  ///< position in the campaign, 0-based
    std::uint64_t seed = 1;
    kernels::Precision precision = kernels::Precision::Float32;
    InputLaw input;
    std::string target = "x1";
    std::int64_t width = 1;
    kernels::Activation activation{kernels::ActivationKind::Relu, 0, 0, 0};
    InitializationRule initialization;
    std::int64_t batch = 32;          ///< samples per step; with nodes: their number, nodes_per_axis^dimension
    std::int64_t nodes_per_axis = 0;  ///< 0: fresh samples; else the midpoint grid
    kernels::Optimizer optimizer{kernels::OptimizerKind::Sgd, 0, 0, 0, false, false};
    kernels::LearningRate learning_rate{0.01, 0};
    std::int64_t steps = 1000;
    std::int32_t checks = 64, tail = 16;
    double tolerance = 1e-3;  ///< of the verdict
    EvaluationRule evaluation;

    std::string description;  ///< normalised: canonical JSON, keys sorted, all of the above but index
    std::string id;           ///< XXH3-128 of the description, 32 hexadecimal digits

    /// Short human names of the parts, for tables: e.g. "relu", "leaky_relu(0.01)", "pytorch", "adam(0.01)", "fresh", "nodes(128)".
    std::string activation_label, initialization_label, optimizer_label, input_label, sampling_label;
};

}  // namespace limrisk
