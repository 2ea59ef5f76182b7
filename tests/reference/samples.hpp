// Training samples: fresh ones of a step, or the midpoint grid. docs/numerics.md sections 2 to 4.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include "reference/network.hpp"
#include "reference/philox.hpp"
#include "reference/target.hpp"
#include "reference/variate.hpp"

namespace limrisk::reference {

/// Word of Philox from which coordinate k of sample m of a step is made.
inline std::uint32_t sample_word(std::uint64_t seed, std::uint64_t trial, std::int64_t step, std::int64_t dimension, std::int64_t m,
                                 std::int64_t k) {
    std::int64_t call, word;
    if (dimension == 1) {
        call = m / 4;
        word = m % 4;
    } else if (dimension == 2) {
        call = m / 2;
        word = 2 * (m % 2) + k;
    } else {
        call = m * ((dimension + 3) / 4) + k / 4;
        word = k % 4;
    }
    return random_words(seed, Purpose::Samples, static_cast<std::uint64_t>(step), static_cast<std::uint32_t>(call),
                        trial)[static_cast<std::size_t>(word)];
}

/// Fills targets by the program, in Real, and gives every sample the weight 1/count.
template <class Real>
Batch<Real> training_batch(std::vector<Real> inputs, std::int64_t dimension, const TargetProgram& target) {
    Batch<Real> batch{std::move(inputs), {}, {}};
    const std::size_t d = static_cast<std::size_t>(dimension), count = batch.inputs.size() / d;
    for (std::size_t m = 0; m < count; ++m) batch.targets.push_back(evaluate(target, &batch.inputs[m * d]));
    batch.weights.assign(count, Real(1.0 / static_cast<double>(count)));
    return batch;
}

/// The samples of step n >= 1.
template <class Real>
Batch<Real> fresh_batch(const Law& input, std::int64_t dimension, std::int64_t count, const TargetProgram& target, std::uint64_t seed,
                        std::uint64_t trial, std::int64_t step) {
    std::vector<Real> inputs;
    for (std::int64_t m = 0; m < count; ++m)
        for (std::int64_t k = 0; k < dimension; ++k)
            inputs.push_back(variate<Real>(input, sample_word(seed, trial, step, dimension, m, k)));
    return training_batch(std::move(inputs), dimension, target);
}

}  // namespace limrisk::reference
