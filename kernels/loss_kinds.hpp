// What the program asks of a loss beside its values and slopes on lanes: one row per kind.
#pragma once
#include <cstdint>

#include "kind_parameter.hpp"
#include "macros.hpp"

namespace limrisk::kernels {

enum class LossKind : std::int32_t { Squared, Absolute, Huber, Power };

/// What the risk is the mean of, as a function of the residual r = N - y: docs/numerics.md section 4.
struct Loss {
    LossKind kind = LossKind::Squared;
    double parameter = 0;  ///< huber: delta; power: exponent
};

struct LossTraits {
    LossKind kind;
    const char* name;     ///< in a campaign
    const char* meaning;  ///< one line for `limrisk list`
    const char* other_names = "";
    KindParameter<Loss> parameters[1] = {};
};

inline constexpr LossTraits loss_table[] = {
    {.kind = LossKind::Squared,
     .name = "squared",
     .meaning = "r^2 (PyTorch: MSELoss; Keras: MeanSquaredError)",
     .other_names = "mse mseloss l2 l2loss meansquarederror square quadratic"},
    {.kind = LossKind::Absolute,
     .name = "absolute",
     .meaning = "|r|, with derivative 0 at 0 (PyTorch: L1Loss; Keras: MeanAbsoluteError)",
     .other_names = "mae l1 l1loss meanabsoluteerror abs"},
    {.kind = LossKind::Huber,
     .name = "huber",
     .meaning = "r^2 / 2 for |r| <= delta, else delta (|r| - delta / 2) (PyTorch: HuberLoss; Keras: Huber; SmoothL1Loss with beta is this "
                "over beta = delta)",
     .other_names = "huberloss smoothl1 smoothl1loss",
     .parameters = {{.name = "delta",
                     .meaning = "where it goes on as a line: 1 in PyTorch and Keras",
                     .real = &Loss::parameter,
                     .low = 0,
                     .low_open = true,
                     .fallback = "1.0",
                     .examples = {1, 0.25, 0.0625}}}},
    {.kind = LossKind::Power,
     .name = "power",
     .meaning = "|r|^exponent",
     .other_names = "lp lploss pnorm",
     .parameters = {{.name = "exponent",
                     .meaning = "above 1 and at most 16, not 2",
                     .real = &Loss::parameter,
                     .low = 1,
                     .high = 16,
                     .examples = {1.5, 3, 4}}}},
};

inline constexpr int loss_count = sizeof(loss_table) / sizeof(loss_table[0]);

LIMRISK_INLINE constexpr const LossTraits& traits_of(LossKind kind) { return loss_table[static_cast<int>(kind)]; }

static_assert(in_order(loss_table), "a row is missing or stands elsewhere than its enumerator");

/// Whether the least risk of a width is less than that of a smaller width unless that is 0, for an activation that is discriminatory. Not
/// of a loss with a kink, and not known of one that ends as a line: docs/theory.md section 5.
LIMRISK_INLINE constexpr bool gains_by_every_neuron(LossKind kind) { return kind == LossKind::Squared || kind == LossKind::Power; }

constexpr Loss example_of(LossKind kind, int k = 0) {
    Loss example{kind, 0};
    for (const auto& parameter : traits_of(kind).parameters) set(example, parameter, parameter.examples[k]);
    return example;
}

template <LossKind Kind>
struct LossTag {
    static constexpr LossKind kind = Kind;
};

/// Calls `body` with the tag of a kind known at run time.
template <int First = 0, class Body>
LIMRISK_INLINE constexpr auto with_loss(LossKind kind, const Body& body) {
    if constexpr (First + 1 < loss_count)
        if (kind != static_cast<LossKind>(First)) return with_loss<First + 1>(kind, body);
    return body(LossTag<static_cast<LossKind>(First)>{});
}

}  // namespace limrisk::kernels
