// What the tables of kinds (activations, optimizers, losses) share: parameters with their names, ranges, defaults and examples.
#pragma once
#include <cstdint>

namespace limrisk::kernels {

inline constexpr double unlimited = __builtin_bit_cast(double, 0x7FF0000000000000LL);

/// A parameter of a kind. `Choice`: Activation, Optimizer or Loss; exactly one of the three members is set.
/// `later`: younger than stores that limrisk reads. Descriptions leave it out where it has its default, which is what the cells of before
/// had.
template <class Choice>
struct KindParameter {
    const char* name = nullptr;  ///< in a campaign; nullptr: no parameter
    const char* meaning = nullptr;
    double Choice::*real = nullptr;
    std::int32_t Choice::*integer = nullptr;
    bool Choice::*truth = nullptr;
    const char* words[2] = {};  ///< of a truth: what a campaign writes for false and true, if not these
    /// Allowed numbers; ends are included unless open.
    double low = -unlimited, high = unlimited;
    bool low_open = false, high_open = false;
    const char* fallback = nullptr;  ///< text of the default; nullptr: must be given
    const char* at_zero = nullptr;   ///< what to say of 0, if 0 is not allowed within the range
    double examples[3] = {};         ///< for tests and `limrisk selftest`; the k-th ones of a kind's parameters go together
    bool later = false;
};

inline constexpr int example_count = 3;

template <class Choice>
constexpr void set(Choice& choice, const KindParameter<Choice>& parameter, double value) {
    if (parameter.real != nullptr) choice.*parameter.real = value;
    if (parameter.integer != nullptr) choice.*parameter.integer = static_cast<std::int32_t>(value);
    if (parameter.truth != nullptr) choice.*parameter.truth = value != 0;
}

/// Whether the rows of a table stand in the order of the enumeration of their kinds, without a gap.
template <class Row, int count>
constexpr bool in_order(const Row (&table)[count]) {
    for (int k = 0; k < count; ++k)
        if (static_cast<int>(table[k].kind) != k) return false;
    return true;
}

}  // namespace limrisk::kernels
