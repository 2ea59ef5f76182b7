// Philox4x32-10 (Salmon et al. 2011) and the words that limrisk takes from it. docs/numerics.md section 2.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <array>
#include <cstdint>

namespace limrisk::reference {

/// Ten rounds. counter, key: lowest word first.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

enum class Purpose : std::uint32_t {
    Neuron = 1,
    OuterBias = 2,
    Samples = 3,
    Picks = 4,
    Epochs = 5,
    Noise = 6,
    Radius = 7,
    Holdout = 8,
    SkipWeights = 9
};

/// The four words of one call. position < 2^40 (neuron index, 0, or step), call < 2^20.
std::array<std::uint32_t, 4> random_words(std::uint64_t seed, Purpose purpose, std::uint64_t position, std::uint32_t call,
                                          std::uint64_t trial);

}  // namespace limrisk::reference
