// What the program asks of an activation and of an optimizer beside values, derivatives and updates on lanes: one row per kind.
// Plain data and arithmetic, no lanes. On the device only as constants that follow from template arguments.
#pragma once
#include <cstdint>

#include "macros.hpp"

namespace limrisk::kernels {

enum class Precision : std::int32_t { Float32, Float64 };

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

enum class OptimizerKind : std::int32_t {
    Sgd,
    Momentum,
    Nesterov,
    Adagrad,
    Rmsprop,
    Adadelta,
    Adam,
    Adamax,
    Amsgrad,
    Nadam,
    RmspropMomentum
};

/// Meaning of each member in each recursion: docs/numerics.md section 9. Members of kinds that lack them have no effect.
struct Optimizer {
    OptimizerKind kind;
    double alpha;                    ///< decay of the first moment
    double beta;                     ///< decay of the second moment; adadelta: rho; adamax: of the largest abs g
    double epsilon;                  ///< keeps a denominator away from 0
    bool epsilon_inside;             ///< sqrt(M + epsilon); adamax: epsilon is added to abs g
    bool bias_correction;            ///< divide moments by 1 - decay^n
    bool sum = false;                ///< momentum, nesterov: m = alpha m + g, without the factor 1 - alpha
    bool corrected_maximum = false;  ///< amsgrad: the maximum of M / (1 - beta^n) instead of M
    bool centered = false;           ///< rmsprop_momentum: subtract the square of the mean gradient
    double initial_sum = 0;          ///< adagrad: what the sum of squares starts at
    double momentum_decay = 0;       ///< nadam: psi
    double weight_decay = 0;         ///< lambda
    bool decoupled = false;          ///< theta - gamma lambda theta instead of g + lambda theta
};

enum class LossKind : std::int32_t { Squared, Absolute, Huber, Power };

/// What the risk is the mean of, as a function of the residual r = N - y: docs/numerics.md section 4.
struct Loss {
    LossKind kind = LossKind::Squared;
    double parameter = 0;  ///< huber: delta; power: exponent
};

/// Samples of a block at most: docs/numerics.md section 3.
inline constexpr int block_samples = 64;

/// How a float32 step adds up more samples than a block has.
enum class Sums : std::int32_t {
    Running,  ///< one running sum, as in stores from before there were blocks
    Blocks
};

/// How a step computes its gradient.
enum class Algorithm : std::int32_t {
    Plain,  ///< every sample with every neuron: docs/numerics.md section 4
    Kinks   ///< sorted kinks and running sums over sorted nodes: section 13
};

enum class ScheduleKind : std::int32_t { Polynomial, Step, Exponential, Cosine, Piecewise, InverseTime };

/// docs/numerics.md section 9. The step n of a formula starts after the warm-up.
struct LearningRate {
    double initial;
    double power;  ///< polynomial: initial * n^-power; 0: constant
    ScheduleKind kind = ScheduleKind::Polynomial;
    bool from_one = false;    ///< the first step has t = 1, not t = 0
    double factor = 1;        ///< step, exponential, inverse_time
    std::int64_t every = 1;   ///< steps; cosine: those until `last`
    double last = 0;          ///< cosine: the rate at the end
    std::int64_t warmup = 0;  ///< steps before the schedule, in which the rate grows from warmup_start * initial towards initial
    double warmup_start = 0;
    std::int64_t from_1 = 0, from_2 = 0, from_3 = 0;  ///< piecewise: t from which on the rate is the one below; 0: never
    double rate_1 = 0, rate_2 = 0, rate_3 = 0;
};

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

/// Division of a moment by 1 - decay^n.
enum class BiasCorrection : std::int32_t { None, Always, Optional };  ///< Optional: as Optimizer::bias_correction says

inline constexpr int most_states = 3;

struct OptimizerTraits {
    OptimizerKind kind;
    const char* name;     ///< in a campaign
    const char* meaning;  ///< one line for `limrisk list`
    const char* other_names = "";
    const char* learning_rate = nullptr;          ///< text of the default; nullptr: must be given
    KindParameter<Optimizer> parameters[6] = {};  ///< beside those of common_optimizer_parameters
    int states = 0;                               ///< per coordinate: 0 to 3
    bool looks_ahead = false;  ///< the gradient is taken at theta - gamma alpha m, m the first state, but for the form "sum"
    BiasCorrection first_moment = BiasCorrection::None, second_moment = BiasCorrection::None;
    double cost;  ///< lane instructions per parameter and step; square roots and divisions count by their throughput
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

constexpr KindParameter<Optimizer> alpha_parameter(const char* fallback) {
    return {.name = "alpha",
            .meaning = "decay of the first moment",
            .real = &Optimizer::alpha,
            .low = 0,
            .high = 1,
            .high_open = true,
            .fallback = fallback,
            .examples = {0.9, 0.85, 0}};
}

constexpr KindParameter<Optimizer> beta_parameter(const char* name, const char* fallback,
                                                  const char* meaning = "decay of the second moment") {
    return {.name = name,
            .meaning = meaning,
            .real = &Optimizer::beta,
            .low = 0,
            .high = 1,
            .high_open = true,
            .fallback = fallback,
            .examples = {0.999, 0.9, 0.5}};
}

constexpr KindParameter<Optimizer> epsilon_parameter(const char* fallback) {
    return {.name = "epsilon",
            .meaning = "keeps the denominator away from 0",
            .real = &Optimizer::epsilon,
            .low = 0,
            .low_open = true,
            .fallback = fallback,
            .examples = {1e-8, 1e-6, 1e-3}};
}

constexpr KindParameter<Optimizer> epsilon_inside_parameter(bool later,
                                                            const char* meaning = "sqrt(M + epsilon) instead of sqrt(M) + epsilon") {
    return {.name = "epsilon_inside",
            .meaning = meaning,
            .truth = &Optimizer::epsilon_inside,
            .fallback = "false",
            .examples = {0, 1, 1},
            .later = later};
}

constexpr KindParameter<Optimizer> bias_correction_parameter(bool later, const char* meaning) {
    return {.name = "bias_correction",
            .meaning = meaning,
            .truth = &Optimizer::bias_correction,
            .fallback = "true",
            .examples = {1, 0, 1},
            .later = later};
}

constexpr KindParameter<Optimizer> form_parameter(const char* meaning) {
    return {.name = "form",
            .meaning = meaning,
            .truth = &Optimizer::sum,
            .words = {"average", "sum"},
            .fallback = "\"average\"",
            .examples = {0, 1, 0},
            .later = true};
}

/// Of every optimizer. A weight decay that is not 0 moves neurons whose gradient is 0: keeps_still().
inline constexpr KindParameter<Optimizer> common_optimizer_parameters[] = {
    {.name = "weight_decay",
     .meaning = "lambda: adds lambda theta to the gradient (L2), of all parameters, biases too; 0: none",
     .real = &Optimizer::weight_decay,
     .low = 0,
     .fallback = "0",
     .examples = {0, 0.01, 0.125},
     .later = true},
    {.name = "decoupled",
     .meaning = "the weight decay subtracts gamma lambda theta instead, as in AdamW",
     .truth = &Optimizer::decoupled,
     .fallback = "false",
     .examples = {0, 0, 1},
     .later = true},
};

inline constexpr OptimizerTraits optimizer_table[] = {
    {.kind = OptimizerKind::Sgd,
     .name = "sgd",
     .meaning = "stochastic gradient descent",
     .other_names = "gd gradientdescent stochasticgradientdescent",
     .cost = 2},
    {.kind = OptimizerKind::Momentum,
     .name = "momentum",
     .meaning = "m = alpha m + (1 - alpha) g",
     .other_names = "heavyball polyak sgdmomentum sgdm",
     .parameters = {alpha_parameter("0.9"), form_parameter("\"sum\": m = alpha m + g (PyTorch, Optax)")},
     .states = 1,
     .cost = 6},
    {.kind = OptimizerKind::Nesterov,
     .name = "nesterov",
     .meaning = "momentum with the gradient at the shifted point",
     .other_names = "nag acceleratedgradient",
     .parameters = {alpha_parameter("0.9"),
                    form_parameter(
                        "\"sum\": m = alpha m + g, step along g + alpha m, gradient where the parameters are (PyTorch, Optax; Keras at a "
                        "constant rate)")},
     .states = 1,
     .looks_ahead = true,
     .cost = 8},
    {.kind = OptimizerKind::Adagrad,
     .name = "adagrad",
     .meaning = "divides by the root of the sum of all g^2",
     .parameters = {epsilon_parameter("1e-10"),
                    epsilon_inside_parameter(false),
                    {.name = "initial_accumulator",
                     .meaning = "what the sum starts at: 0 in PyTorch, 0.1 in Keras, TensorFlow and Optax",
                     .real = &Optimizer::initial_sum,
                     .low = 0,
                     .fallback = "0",
                     .examples = {0, 0.1, 0.5},
                     .later = true}},
     .states = 1,
     .cost = 15},
    {.kind = OptimizerKind::Rmsprop,
     .name = "rmsprop",
     .meaning = "divides by the root of a running mean of g^2",
     .parameters = {beta_parameter("beta", "0.99"), epsilon_parameter("1e-8"),
                    bias_correction_parameter(false, "divide the running mean by 1 - beta^n"), epsilon_inside_parameter(true)},
     .states = 1,
     .second_moment = BiasCorrection::Optional,
     .cost = 15},
    {.kind = OptimizerKind::Adadelta,
     .name = "adadelta",
     .meaning = "RMSprop with its own running step size",
     .learning_rate = "1.0",
     .parameters = {beta_parameter("rho", "0.9"), epsilon_parameter("1e-6")},
     .states = 2,
     .cost = 20},
    {.kind = OptimizerKind::Adam,
     .name = "adam",
     .meaning = "first and second moments, both bias-corrected",
     .learning_rate = "0.001",
     .parameters = {alpha_parameter("0.9"), beta_parameter("beta", "0.999"), epsilon_parameter("1e-8"), epsilon_inside_parameter(true),
                    bias_correction_parameter(true, "divide the moments by 1 - alpha^n and 1 - beta^n")},
     .states = 2,
     .first_moment = BiasCorrection::Optional,
     .second_moment = BiasCorrection::Optional,
     .cost = 18},
    {.kind = OptimizerKind::Adamax,
     .name = "adamax",
     .meaning = "Adam with a decaying maximum of |g| in place of the root",
     .learning_rate = "0.002",
     .parameters = {alpha_parameter("0.9"), beta_parameter("beta", "0.999", "decay of the largest |g|"), epsilon_parameter("1e-8"),
                    epsilon_inside_parameter(true,
                                             "u = max(beta u, |g| + epsilon), divide by u (PyTorch), instead of by u + epsilon (Keras)")},
     .states = 2,
     .first_moment = BiasCorrection::Always,
     .cost = 14},
    {.kind = OptimizerKind::Amsgrad,
     .name = "amsgrad",
     .meaning = "Adam with the largest second moment so far",
     .learning_rate = "0.001",
     .parameters = {alpha_parameter("0.9"),
                    beta_parameter("beta", "0.999"),
                    epsilon_parameter("1e-8"),
                    {.name = "maximum",
                     .meaning = "of the second moment as it is, corrected afterwards (PyTorch), or of the corrected one (Optax)",
                     .truth = &Optimizer::corrected_maximum,
                     .words = {"raw", "corrected"},
                     .fallback = "\"raw\"",
                     .examples = {0, 1, 0}},
                    epsilon_inside_parameter(false),
                    bias_correction_parameter(false, "divide the moments by 1 - alpha^n and 1 - beta^n; the paper does not")},
     .states = 3,
     .first_moment = BiasCorrection::Optional,
     .second_moment = BiasCorrection::Optional,
     .cost = 21},
    {.kind = OptimizerKind::Nadam,
     .name = "nadam",
     .meaning = "Adam with Nesterov momentum, as PyTorch, Keras and Dozat have it",
     .other_names = "nesterovadam",
     .learning_rate = "0.002",
     .parameters =
         {alpha_parameter("0.9"),
          beta_parameter("beta", "0.999"),
          epsilon_parameter("1e-8"),
          {.name = "momentum_decay",
           .meaning = "psi in mu_n = alpha (1 - 0.96^(n psi) / 2): 0.004 in PyTorch and by Dozat, 1 in Keras; 1e6: mu = alpha, as in Optax",
           .real = &Optimizer::momentum_decay,
           .low = 0,
           .high = 1e6,
           .fallback = "0.004",
           .examples = {0.004, 1, 1e6}}},
     .states = 2,
     .second_moment = BiasCorrection::Always,
     .cost = 20},
    {.kind = OptimizerKind::RmspropMomentum,
     .name = "rmsprop_momentum",
     .meaning = "rmsprop with momentum of the steps, or centered, or both; PyTorch: bias_correction = false",
     .other_names = "centeredrmsprop rmspropcentered gravesrmsprop rmspropgraves",
     .parameters = {beta_parameter("beta", "0.99"),
                    {.name = "momentum",
                     .meaning = "decay of the steps: b = momentum b + g / D, theta - gamma b (PyTorch; its alpha is beta here); "
                                "TensorFlow, Keras and Optax have gamma in b",
                     .real = &Optimizer::alpha,
                     .low = 0,
                     .high = 1,
                     .high_open = true,
                     .fallback = "0.9",
                     .examples = {0.9, 0, 0.5}},
                    {.name = "centered",
                     .meaning = "subtract the square of the mean gradient from the second moment",
                     .truth = &Optimizer::centered,
                     .fallback = "false",
                     .examples = {0, 1, 1}},
                    epsilon_parameter("1e-8"),
                    bias_correction_parameter(false, "divide the running means by 1 - beta^n"),
                    epsilon_inside_parameter(false)},
     .states = 3,
     .second_moment = BiasCorrection::Optional,
     .cost = 22},
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
inline constexpr int activation_count = sizeof(activation_table) / sizeof(activation_table[0]);
inline constexpr int optimizer_count = sizeof(optimizer_table) / sizeof(optimizer_table[0]);

LIMRISK_INLINE constexpr const ActivationTraits& traits_of(ActivationKind kind) { return activation_table[static_cast<int>(kind)]; }
LIMRISK_INLINE constexpr const OptimizerTraits& traits_of(OptimizerKind kind) { return optimizer_table[static_cast<int>(kind)]; }
LIMRISK_INLINE constexpr const LossTraits& traits_of(LossKind kind) { return loss_table[static_cast<int>(kind)]; }

/// Rows stand in the order of the enumerations; an activation says what each of its pieces is.
constexpr bool rows_are_complete() {
    for (int k = 0; k < activation_count; ++k) {
        const ActivationTraits& row = activation_table[k];
        if (static_cast<int>(row.kind) != k || row.kink_count > most_kinks_of_a_kind) return false;
        for (int i = 0; i <= row.kink_count; ++i) {
            const PieceForm form = row.pieces[i].form;
            if (form == PieceForm::None || (form == PieceForm::Constant && i > 0 && i < row.kink_count)) return false;
        }
    }
    for (int k = 0; k < optimizer_count; ++k)
        if (static_cast<int>(optimizer_table[k].kind) != k) return false;
    for (int k = 0; k < loss_count; ++k)
        if (static_cast<int>(loss_table[k].kind) != k) return false;
    return true;
}
static_assert(rows_are_complete(), "a row of a kind is missing, stands elsewhere than its enumerator, or does not say what its pieces are");

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

/// Whether the least risk of a width is less than that of a smaller width unless that is 0, for an activation that is discriminatory. Not
/// of a loss with a kink, and not known of one that ends as a line: docs/theory.md section 5.
LIMRISK_INLINE constexpr bool gains_by_every_neuron(LossKind kind) { return kind == LossKind::Squared || kind == LossKind::Power; }

/// Number of states of an optimizer per coordinate: 0 to most_states.
LIMRISK_INLINE constexpr int state_count(OptimizerKind kind) { return traits_of(kind).states; }

/// Whether the gradient is taken elsewhere than at theta.
LIMRISK_INLINE constexpr bool looks_ahead(const Optimizer& optimizer) { return traits_of(optimizer.kind).looks_ahead && !optimizer.sum; }

/// Whether a coordinate whose gradient was always 0 keeps its bits: with every recursion, but for weight decay, which moves all that is not
/// 0.
LIMRISK_INLINE constexpr bool keeps_still(const Optimizer& optimizer) { return optimizer.weight_decay == 0; }

/// lambda of the risk plus lambda / 2 |theta|^2 that the steps go down; 0 where weight decay is no gradient of anything.
LIMRISK_INLINE constexpr double trained_decay(const Optimizer& optimizer) { return optimizer.decoupled ? 0 : optimizer.weight_decay; }

/// Some of the groups of parameters of N(x) = c + sum_i v_i A(<w_i, x> + b_i).
struct Groups {
    bool inner_weights, inner_biases, outer_weights, outer_bias;  ///< w, b, v, c
};

LIMRISK_INLINE constexpr bool any(const Groups& groups) {
    return groups.inner_weights || groups.inner_biases || groups.outer_weights || groups.outer_bias;
}

/// Whether a row of parameters belongs to one of the groups: slot by slot w_0..w_{d-1}, b, v; then c.
template <class LayoutType>
LIMRISK_INLINE constexpr bool has_row(const Groups& groups, const LayoutType& layout, std::int64_t row) {
    if (row == layout.outer_bias()) return groups.outer_bias;
    const std::int64_t k = row % layout.per_slot(), d = layout.per_slot() - 2;
    return k < d ? groups.inner_weights : k == d ? groups.inner_biases : groups.outer_weights;
}

template <class Choice>
constexpr void set(Choice& choice, const KindParameter<Choice>& parameter, double value) {
    if (parameter.real != nullptr) choice.*parameter.real = value;
    if (parameter.integer != nullptr) choice.*parameter.integer = static_cast<std::int32_t>(value);
    if (parameter.truth != nullptr) choice.*parameter.truth = value != 0;
}

/// A choice of this kind with its k-th example parameters, 0 <= k < example_count; parameters that it does not have are 0.
constexpr Activation example_of(ActivationKind kind, int k = 0) {
    Activation example{kind, 0, 0, 0};
    for (const auto& parameter : traits_of(kind).parameters) set(example, parameter, parameter.examples[k]);
    return example;
}

constexpr Optimizer example_of(OptimizerKind kind, int k = 0) {
    Optimizer example{kind, 0, 0, 0, false, false};
    for (const auto& parameter : traits_of(kind).parameters) set(example, parameter, parameter.examples[k]);
    for (const auto& parameter : common_optimizer_parameters) set(example, parameter, parameter.examples[k]);
    return example;
}

constexpr Loss example_of(LossKind kind, int k = 0) {
    Loss example{kind, 0};
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

template <OptimizerKind Kind>
struct OptimizerTag {
    static constexpr OptimizerKind kind = Kind;
};

/// Calls `body` with the tag of a kind known at run time.
template <int First = 0, class Body>
LIMRISK_INLINE constexpr auto with_optimizer(OptimizerKind kind, const Body& body) {
    if constexpr (First + 1 < optimizer_count)
        if (kind != static_cast<OptimizerKind>(First)) return with_optimizer<First + 1>(kind, body);
    return body(OptimizerTag<static_cast<OptimizerKind>(First)>{});
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
