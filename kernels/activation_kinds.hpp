// What the program asks of an activation beside its values and derivatives on lanes: one row per kind.
// Plain data and arithmetic, no lanes. On the device only as constants that follow from template arguments.
#pragma once
#include <cstdint>

#include "kind_parameter.hpp"
#include "macros.hpp"

namespace limrisk::kernels {

enum class ActivationKind : std::int32_t {
    Relu,
    PowerRelu,
    LeakyRelu,
    Clipping,
    Softplus,
    Logistic,
    Tanh,
    Swish,
    Elu,
    Gelu,
    GeluTanh,
    Mish,
    Softsign,
    HardSigmoid,
    HardSwish,
    Sine,
    Identity
};

struct Activation {
    ActivationKind kind;
    double first;        ///< leaky_relu: slope; clipping: low; elu: alpha; hard_sigmoid: half_width
    double second;       ///< clipping: high
    std::int32_t power;  ///< power_relu: exponent 2..16
};

/// A number that follows from the parameters of an activation.
struct Term {
    double constant = 0, first = 0, second = 0, power = 0;
    double over_first = 0;  ///< over the parameter `first`
    LIMRISK_INLINE constexpr double of(const Activation& activation) const {
        const double sum = constant + first * activation.first + second * activation.second + power * activation.power;
        return over_first == 0 ? sum : sum + over_first / activation.first;
    }
    constexpr bool is_zero() const { return constant == 0 && first == 0 && second == 0 && power == 0 && over_first == 0; }
};

/// A point at which A is not smooth, and the jump of A' there.
struct KinkRule {
    Term at, jump;
};

enum class PieceForm : std::int32_t {
    None,        ///< not given
    Constant,    ///< A is constant, exactly: its left derivative is 0 between the kinks and at the right one. `term`: its value
    Linear,      ///< A(z) = slope * z. `term`: the slope
    Polynomial,  ///< any other. `term`: the degree
    Smooth       ///< no polynomial; abs A(z) <= 1 + abs z + constants
};

/// What A is between two neighbouring kinks, or beyond the outermost.
struct ActivationPiece {
    PieceForm form = PieceForm::None;
    Term term;
};

inline constexpr int most_kinks_of_a_kind = 4;

/// Reals that a thread of the GPU may keep through a step in registers without a spill; what ptxas reports decides (docs/gpu.md,
/// tests/unit/kernel_grid_test.cpp). The default is what the most demanding activation needs.
struct RegisterLimits {
    int float32_few = 128;  ///< float32, dimension up to 2
    int float32_many = 84;  ///< float32, higher dimensions
    int float64 = 48;
    bool always_rebroadcast = true;  ///< the backward pass broadcasts inputs again on every architecture, see kernel_plan.cpp
};

struct ActivationTraits {
    ActivationKind kind;
    const char* name;              ///< in a campaign
    const char* meaning;           ///< one line for `limrisk list`
    const char* other_names = "";  ///< elsewhere, separated by spaces; lower case, without '_' and '-'
    KindParameter<Activation> parameters[2] = {};
    const char* interval = nullptr;  ///< how a message calls [first, second], if they are the ends of an interval that must not be empty
    int kink_count = 0;
    KinkRule kinks[most_kinks_of_a_kind] = {};              ///< [kink_count] ascending
    ActivationPiece pieces[most_kinks_of_a_kind + 1] = {};  ///< [kink_count + 1] from left to right; constant ones at the ends only
    bool monotone = false;                                  ///< then the ends of a range of z bound A on it, also where A is no polynomial
    bool homogeneous = false;                               ///< A(s z) = s A(z) for s > 0
    bool zero_at_zero = false;  ///< A(z) = 0 at z = 0 only: a neuron whose z is 0 on the whole range is inactive
    Term cost;                  ///< lane instructions of A and A' together, beyond those of relu; estimates
    RegisterLimits registers = {};
};

inline constexpr RegisterLimits lavish_registers{148, 148, 64, true};

inline constexpr ActivationTraits activation_table[] = {
    {.kind = ActivationKind::Relu,
     .name = "relu",
     .meaning = "max(z, 0)",
     .kink_count = 1,
     .kinks = {{.at = {}, .jump = {1}}},
     .pieces = {{PieceForm::Constant, {}}, {PieceForm::Linear, {1}}},
     .monotone = true,
     .homogeneous = true,
     .cost = {},
     .registers = {148, 148, 64, false}},
    {.kind = ActivationKind::PowerRelu,
     .name = "power_relu",
     .meaning = "max(z, 0)^power",
     .other_names = "repu squaredrelu relusquared relu2 relu3",
     .parameters = {{.name = "power", .meaning = "exponent", .integer = &Activation::power, .low = 2, .high = 16, .examples = {2, 3, 4}}},
     .kink_count = 1,
     .kinks = {{.at = {}, .jump = {}}},
     .pieces = {{PieceForm::Constant, {}}, {PieceForm::Polynomial, {.power = 1}}},
     .monotone = true,
     .cost = {.constant = 3, .power = 2},
     .registers = lavish_registers},
    {.kind = ActivationKind::LeakyRelu,
     .name = "leaky_relu",
     .meaning = "z for z > 0, else slope * z",
     .other_names = "lrelu prelu",
     .parameters = {{.name = "slope",
                     .meaning = "slope for z < 0, not 0",
                     .real = &Activation::first,
                     .fallback = "0.01",
                     .at_zero = "leaky_relu with slope 0 is relu; write activation = \"relu\"",
                     .examples = {0.01, 0.3, -0.5}}},
     .kink_count = 1,
     .kinks = {{.at = {}, .jump = {.constant = 1, .first = -1}}},
     .pieces = {{PieceForm::Linear, {.first = 1}}, {PieceForm::Linear, {1}}},
     .homogeneous = true,
     .zero_at_zero = true,
     .cost = {3},
     .registers = {128, 84, 64, true}},
    {.kind = ActivationKind::Clipping,
     .name = "clipping",
     .meaning = "z clipped to [low, high]",
     .other_names = "clip clamp relu1 saturatedrelu",
     .parameters = {{.name = "low", .meaning = "lower level", .real = &Activation::first, .fallback = "0.0", .examples = {0, -0.5, -1}},
                    {.name = "high", .meaning = "upper level", .real = &Activation::second, .fallback = "1.0", .examples = {1, 0.25, 0}}},
     .interval = "clipping to",
     .kink_count = 2,
     .kinks = {{.at = {.first = 1}, .jump = {1}}, {.at = {.second = 1}, .jump = {-1}}},
     .pieces = {{PieceForm::Constant, {.first = 1}}, {PieceForm::Linear, {1}}, {PieceForm::Constant, {.second = 1}}},
     .monotone = true,
     .cost = {5}},
    {.kind = ActivationKind::Softplus,
     .name = "softplus",
     .meaning = "log(1 + exp(z))",
     .other_names = "smoothrelu softrelu",
     .pieces = {{PieceForm::Smooth, {}}},
     .monotone = true,
     .cost = {170},
     .registers = lavish_registers},
    {.kind = ActivationKind::Logistic,
     .name = "logistic",
     .meaning = "1 / (1 + exp(-z))",
     .other_names = "sigmoid expit",
     .pieces = {{PieceForm::Smooth, {}}},
     .monotone = true,
     .cost = {80},
     .registers = lavish_registers},
    {.kind = ActivationKind::Tanh,
     .name = "tanh",
     .meaning = "hyperbolic tangent",
     .pieces = {{PieceForm::Smooth, {}}},
     .monotone = true,
     .cost = {80},
     .registers = lavish_registers},
    {.kind = ActivationKind::Swish, .name = "swish", .meaning = "z / (1 + exp(-z))", .pieces = {{PieceForm::Smooth, {}}}, .cost = {85}},
    {.kind = ActivationKind::Elu,
     .name = "elu",
     .meaning = "z for z > 0, else alpha * (exp(z) - 1)",
     .parameters = {{.name = "alpha",
                     .meaning = "minus the limit for z to -infinity",
                     .real = &Activation::first,
                     .low = 0,
                     .low_open = true,
                     .fallback = "1.0",
                     .examples = {1, 0.5, 2}}},
     .kink_count = 1,
     .kinks = {{.at = {}, .jump = {.constant = 1, .first = -1}}},
     .pieces = {{PieceForm::Smooth, {}}, {PieceForm::Linear, {1}}},
     .monotone = true,
     .cost = {75}},
    {.kind = ActivationKind::Gelu,
     .name = "gelu",
     .meaning = "z * Phi(z), Phi the normal distribution function (PyTorch: approximate = 'none')",
     .other_names = "gaussianerrorlinearunit",
     .pieces = {{PieceForm::Smooth, {}}},
     .cost = {140}},
    {.kind = ActivationKind::GeluTanh,
     .name = "gelu_tanh",
     .meaning = "z * (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) / 2, the approximation of gelu (the default of JAX)",
     .other_names = "newgelu fastgelu gelunew geluapproximate",
     .pieces = {{PieceForm::Smooth, {}}},
     .cost = {95}},
    {.kind = ActivationKind::Mish,
     .name = "mish",
     .meaning = "z * tanh(log(1 + exp(z)))",
     .pieces = {{PieceForm::Smooth, {}}},
     .cost = {110}},
    {.kind = ActivationKind::Softsign,
     .name = "softsign",
     .meaning = "z / (1 + |z|)",
     .kink_count = 1,
     .kinks = {{.at = {}, .jump = {}}},
     .pieces = {{PieceForm::Smooth, {}}, {PieceForm::Smooth, {}}},
     .monotone = true,
     .cost = {20}},
    {.kind = ActivationKind::HardSigmoid,
     .name = "hard_sigmoid",
     .meaning = "1/2 + z / (2 half_width) clipped to [0, 1]",
     .parameters = {{.name = "half_width",
                     .meaning = "where it is clipped: 3 in PyTorch and Keras 3, 2.5 in Keras 2",
                     .real = &Activation::first,
                     .low = 0,
                     .low_open = true,
                     .fallback = "3.0",
                     .examples = {3, 2.5, 0.25}}},
     .kink_count = 2,
     .kinks = {{.at = {.first = -1}, .jump = {.over_first = 0.5}}, {.at = {.first = 1}, .jump = {.over_first = -0.5}}},
     .pieces = {{PieceForm::Constant, {}}, {PieceForm::Polynomial, {1}}, {PieceForm::Constant, {1}}},
     .monotone = true,
     .cost = {7}},
    {.kind = ActivationKind::HardSwish,
     .name = "hard_swish",
     .meaning = "z * hard_sigmoid(z), half_width 3",
     .other_names = "hardsilu",
     .kink_count = 2,
     .kinks = {{.at = {-3}, .jump = {-0.5}}, {.at = {3}, .jump = {-0.5}}},
     .pieces = {{PieceForm::Constant, {}}, {PieceForm::Polynomial, {2}}, {PieceForm::Linear, {1}}},
     .cost = {9}},
    {.kind = ActivationKind::Sine,
     .name = "sine",
     .meaning = "sin(z); not a number beyond |z| = 65536 (float32), 2^30 (float64)",
     .other_names = "sin siren",
     .pieces = {{PieceForm::Smooth, {}}},
     .cost = {75}},
    {.kind = ActivationKind::Identity,
     .name = "identity",
     .meaning = "z",
     .other_names = "linear none",
     .pieces = {{PieceForm::Linear, {1}}},
     .monotone = true,
     .homogeneous = true,
     .zero_at_zero = true,
     .cost = {2}},
};

inline constexpr int activation_count = sizeof(activation_table) / sizeof(activation_table[0]);

LIMRISK_INLINE constexpr const ActivationTraits& traits_of(ActivationKind kind) { return activation_table[static_cast<int>(kind)]; }

static_assert(in_order(activation_table), "a row is missing or stands elsewhere than its enumerator");

/// Whether each row says what each of its pieces is.
constexpr bool pieces_are_complete() {
    for (const ActivationTraits& row : activation_table) {
        if (row.kink_count > most_kinks_of_a_kind) return false;
        for (int i = 0; i <= row.kink_count; ++i) {
            const PieceForm form = row.pieces[i].form;
            if (form == PieceForm::None || (form == PieceForm::Constant && i > 0 && i < row.kink_count)) return false;
        }
    }
    return true;
}
static_assert(pieces_are_complete(), "a row does not say what its pieces are, or is constant on one in the middle");

LIMRISK_INLINE constexpr bool has_piece(ActivationKind kind, PieceForm form) {
    const ActivationTraits& row = traits_of(kind);
    for (int i = 0; i <= row.kink_count; ++i)
        if (row.pieces[i].form == form) return true;
    return false;
}

/// Whether A is not smooth somewhere.
LIMRISK_INLINE constexpr bool has_kinks(ActivationKind kind) { return traits_of(kind).kink_count > 0; }

LIMRISK_INLINE constexpr bool is_piecewise_polynomial(ActivationKind kind) { return !has_piece(kind, PieceForm::Smooth); }

/// Whether A is constant or slope * z between known kinks: then the nodes of a line on each piece are an interval, and sums over them
/// are differences of running sums. What Algorithm::Kinks needs.
LIMRISK_INLINE constexpr bool is_piecewise_linear(ActivationKind kind) {
    return has_kinks(kind) && is_piecewise_polynomial(kind) && !has_piece(kind, PieceForm::Polynomial);
}

/// Whether neurons can freeze: whether A' is 0 on a half line, exactly and not by rounding. docs/numerics.md section 10.
LIMRISK_INLINE constexpr bool has_frozen_neurons(ActivationKind kind) { return has_piece(kind, PieceForm::Constant); }

/// Whether A is 0 on a piece, exactly and not by rounding: a neuron whose z lies there is inactive.
LIMRISK_INLINE constexpr bool is_zero_on(const Activation& activation, int piece) {
    const ActivationTraits& row = traits_of(activation.kind);
    return row.pieces[piece].form == PieceForm::Constant && row.pieces[piece].term.of(activation) == 0;
}

/// Whether A is 0 on a half line.
LIMRISK_INLINE constexpr bool has_inactive_neurons(const Activation& activation) {
    return is_zero_on(activation, 0) || is_zero_on(activation, traits_of(activation.kind).kink_count);
}

/// Whether a frozen neuron can be something else than 0.
LIMRISK_INLINE constexpr bool can_saturate(ActivationKind kind) {
    const ActivationTraits& row = traits_of(kind);
    for (int i = 0; i <= row.kink_count; ++i)
        if (row.pieces[i].form == PieceForm::Constant && !row.pieces[i].term.is_zero()) return true;
    return false;
}

/// Largest degree of a piece; a piece that is no polynomial grows like one of degree 1.
constexpr int largest_degree(const Activation& activation) {
    const ActivationTraits& row = traits_of(activation.kind);
    int degree = 0;
    for (int i = 0; i <= row.kink_count; ++i) {
        const ActivationPiece& piece = row.pieces[i];
        const int of_piece = piece.form == PieceForm::Constant     ? 0
                             : piece.form == PieceForm::Polynomial ? static_cast<int>(piece.term.of(activation))
                                                                   : 1;
        if (of_piece > degree) degree = of_piece;
    }
    return degree;
}

/// Most kinks that a neuron can have.
constexpr int most_kinks() {
    int most = 0;
    for (const ActivationTraits& row : activation_table)
        if (row.kink_count > most) most = row.kink_count;
    return most;
}

/// A choice of this kind with its k-th example parameters, 0 <= k < example_count; parameters that it does not have are 0.
constexpr Activation example_of(ActivationKind kind, int k = 0) {
    Activation example{kind, 0, 0, 0};
    for (const auto& parameter : traits_of(kind).parameters) set(example, parameter, parameter.examples[k]);
    return example;
}

template <ActivationKind Kind>
struct ActivationTag {
    static constexpr ActivationKind kind = Kind;
};

/// Calls `body` with the tag of a kind known at run time.
template <int First = 0, class Body>
LIMRISK_INLINE constexpr auto with_activation(ActivationKind kind, const Body& body) {
    if constexpr (First + 1 < activation_count)
        if (kind != static_cast<ActivationKind>(First)) return with_activation<First + 1>(kind, body);
    return body(ActivationTag<static_cast<ActivationKind>(First)>{});
}

}  // namespace limrisk::kernels
