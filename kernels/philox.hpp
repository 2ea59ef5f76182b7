// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) on lanes: counter-based, stateless. docs/numerics.md section 2.
#pragma once
#include "pack.hpp"
#if defined(__CUDACC_RTC__) && __has_include(<curand_philox4x32_x.h>)
#include <curand_philox4x32_x.h>  // the program carries it where the toolkit that built it had it
#define LIMRISK_CURAND_PHILOX
#endif

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

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

/// The high words of the products of every lane with `multiplier`.
LIMRISK_INLINE VecWord multiply_high(VecWord a, std::uint32_t multiplier) {
    VecWord high{}, low{};
    multiply_wide(a, multiplier, high, low);
    return high;
}

/// Keys of the ten rounds, as round_key(round, word) gives them: the key's words plus multiples of the golden ratio and of sqrt(3) - 1.
struct RoundKeys {
    std::uint64_t key;
    LIMRISK_INLINE std::uint32_t operator()(int round, int word) const {
        return static_cast<std::uint32_t>(key >> (32 * word)) + static_cast<std::uint32_t>(round) * (word == 0 ? 0x9E3779B9u : 0xBB67AE85u);
    }
};

/// Ten rounds on every lane of a register. counter: four words per lane, replaced by the output.
///   round_key(round, word)  the same for all lanes: a word or a register of it
template <class Keys>
LIMRISK_INLINE void philox_rounds(VecWord (&counter)[4], const Keys& round_key) {
    VecWord c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    LIMRISK_UNROLL(10)
    for (int round = 0; round < 10; ++round) {
        VecWord high0{}, low0{}, high1{}, low1{};
        multiply_wide(c0, 0xD2511F53u, high0, low0);
        multiply_wide(c2, 0xCD9E8D57u, high1, low1);
        c0 = high1 ^ c1 ^ round_key(round, 0);
        c1 = low1;
        c2 = high0 ^ c3 ^ round_key(round, 1);
        c3 = low0;
    }
    counter[0] = c0;
    counter[1] = c1;
    counter[2] = c2;
    counter[3] = c3;
}

/// The same for a key of two words.
LIMRISK_INLINE void philox(VecWord (&counter)[4], std::uint64_t key) {
#if defined(LIMRISK_CURAND_PHILOX)
    const uint4 words = curand_Philox4x32_10({counter[0], counter[1], counter[2], counter[3]},
                                             {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
    counter[0] = words.x;
    counter[1] = words.y;
    counter[2] = words.z;
    counter[3] = words.w;
#else
    philox_rounds(counter, RoundKeys{key});
#endif
}

/// The same on every lane of a warp.
LIMRISK_INLINE void philox(WordPack (&counter)[4], std::uint64_t key) {
    LIMRISK_UNROLL(8)
    for (int p = 0; p < word_parts; ++p) {
        VecWord words[4] = {counter[0].part[p], counter[1].part[p], counter[2].part[p], counter[3].part[p]};
        philox(words, key);
        for (int w = 0; w < 4; ++w) counter[w].part[p] = words[w];
    }
}

/// The second word of the counter for call 0 of a purpose at `position`.
constexpr std::uint32_t purpose_word(Purpose purpose, std::uint64_t position) {
    return (static_cast<std::uint32_t>(purpose) << 28) | (static_cast<std::uint32_t>(position >> 32) << 20);
}

/// Trial numbers of the lanes, split into words.
struct TrialWords {
    WordPack low, high;
};

/// Lane i belongs to replica i / tile, whose trial is first_trial + i / tile.
LIMRISK_INLINE TrialWords trial_words(std::int64_t first_trial, int tile) {
    const auto trial = [&](int i) { return static_cast<std::uint64_t>(first_trial + i / tile); };
    return {make_words([&](int i) { return static_cast<std::uint32_t>(trial(i)); }),
            make_words([&](int i) { return static_cast<std::uint32_t>(trial(i) >> 32); })};
}

/// Four words per lane at `position` (all lanes alike) and `call` (per lane) of a purpose.
LIMRISK_INLINE void draw_words(std::uint64_t seed, const TrialWords& trials, Purpose purpose, std::uint64_t position, const WordPack& call,
                               WordPack (&words)[4]) {
    for (int p = 0; p < word_parts; ++p) {
        words[0].part[p] = VecWord{} + static_cast<std::uint32_t>(position);
        words[1].part[p] = call.part[p] + purpose_word(purpose, position);
        words[2].part[p] = trials.low.part[p];
        words[3].part[p] = trials.high.part[p];
    }
    philox(words, seed);
}

/// The same with a position per lane (position < 2^32).
LIMRISK_INLINE void draw_words(std::uint64_t seed, const TrialWords& trials, Purpose purpose, const WordPack& position, std::uint32_t call,
                               WordPack (&words)[4]) {
    for (int p = 0; p < word_parts; ++p) {
        words[0].part[p] = position.part[p];
        words[1].part[p] = VecWord{} + (purpose_word(purpose, 0) + call);
        words[2].part[p] = trials.low.part[p];
        words[3].part[p] = trials.high.part[p];
    }
    philox(words, seed);
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
