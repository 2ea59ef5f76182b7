// Activations and optimizers for tests that walk all kinds: with the examples of their rows, or with their defaults.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/kinds.hpp"

namespace limrisk::test {

/// The first `most` examples of every activation; one where there are no parameters.
inline std::vector<kernels::Activation> all_activations(int most = kernels::example_count) {
    std::vector<kernels::Activation> all;
    for (const kernels::ActivationTraits& traits : kernels::activation_table)
        for (int k = 0; k < (traits.parameters[0].name == nullptr ? 1 : most); ++k) all.push_back(kernels::example_of(traits.kind, k));
    return all;
}

/// All examples of every optimizer.
inline std::vector<kernels::Optimizer> all_optimizers() {
    std::vector<kernels::Optimizer> all;
    for (const kernels::OptimizerTraits& traits : kernels::optimizer_table)
        for (int k = 0; k < (traits.parameters[0].name == nullptr ? 1 : kernels::example_count); ++k)
            all.push_back(kernels::example_of(traits.kind, k));
    return all;
}

/// With the defaults of a campaign, which every parameter of an optimizer has.
inline kernels::Optimizer default_optimizer(kernels::OptimizerKind kind) {
    kernels::Optimizer optimizer{kind, 0, 0, 0, false, false};
    for (const auto& parameter : kernels::traits_of(kind).parameters) {
        if (parameter.name == nullptr) continue;
        if (parameter.fallback == nullptr) throw std::logic_error(std::string(parameter.name) + " has no default");
        const std::string text = parameter.fallback;
        const bool word = parameter.words[0] != nullptr;
        kernels::set(optimizer, parameter,
                     word                         ? text != '"' + std::string(parameter.words[0]) + '"'
                     : parameter.truth != nullptr ? text == "true"
                                                  : std::stod(text));
    }
    return optimizer;
}

/// One of each kind, with its defaults.
inline std::vector<kernels::Optimizer> default_optimizers() {
    std::vector<kernels::Optimizer> all;
    for (const kernels::OptimizerTraits& traits : kernels::optimizer_table) all.push_back(default_optimizer(traits.kind));
    return all;
}

/// A learning rate with which small networks train within some hundred steps: 0.02, or 1 for an optimizer that finds its step size itself.
inline double quick_learning_rate(kernels::OptimizerKind kind) {
    const char* fallback = kernels::traits_of(kind).learning_rate;
    return fallback != nullptr && std::stod(fallback) >= 0.5 ? 1 : 0.02;
}

}  // namespace limrisk::test
