// What the program asks of an optimizer beside its updates on lanes: one row per kind. Schedules of its learning rate.
// Plain data and arithmetic, no lanes. On the device only as constants that follow from template arguments.
#pragma once
#include <cstdint>

#include "kind_parameter.hpp"
#include "macros.hpp"

namespace limrisk::kernels {

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

enum class ScheduleKind : std::int32_t { Polynomial, Step, Exponential, Cosine, Piecewise, InverseTime, Adaptive, Search };

/// docs/numerics.md section 9. The step n of a formula starts after the warm-up.
struct LearningRate {
    double initial;
    double power;  ///< polynomial: initial * n^-power; 0: constant
    ScheduleKind kind = ScheduleKind::Polynomial;
    bool from_one = false;    ///< the first step has t = 1, not t = 0
    double factor = 1;        ///< step, exponential, inverse_time; adaptive, search: what the rate of a trial is multiplied by
    std::int64_t every = 1;   ///< steps; cosine: those until `last`; adaptive, search: checks in a row without a fall
    double last = 0;          ///< cosine: the rate at the end; adaptive, search: what the rate does not fall below
    std::int64_t warmup = 0;  ///< steps before the schedule, in which the rate grows from warmup_start * initial towards initial
    double warmup_start = 0;
    std::int64_t from_1 = 0, from_2 = 0, from_3 = 0;  ///< piecewise: t from which on the rate is the one below; 0: never
    double rate_1 = 0, rate_2 = 0, rate_3 = 0;
    double threshold = 0;           ///< adaptive, search: relative, what a fall of the risk is at least
    std::int64_t rates = 1;         ///< search: how many are tried, odd
    std::int64_t search_steps = 0;  ///< search: with each of them

    /// Whether every trial has a rate of its own, judged at its checks.
    constexpr bool is_adaptive() const { return kind == ScheduleKind::Adaptive || searches(); }
    /// Whether such a rate is the best of several that are tried.
    constexpr bool searches() const { return kind == ScheduleKind::Search; }
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

inline constexpr int optimizer_count = sizeof(optimizer_table) / sizeof(optimizer_table[0]);

LIMRISK_INLINE constexpr const OptimizerTraits& traits_of(OptimizerKind kind) { return optimizer_table[static_cast<int>(kind)]; }

static_assert(in_order(optimizer_table), "a row is missing or stands elsewhere than its enumerator");

/// Number of states of an optimizer per coordinate: 0 to most_states.
LIMRISK_INLINE constexpr int state_count(OptimizerKind kind) { return traits_of(kind).states; }

/// Whether the gradient is taken elsewhere than at theta.
LIMRISK_INLINE constexpr bool looks_ahead(const Optimizer& optimizer) { return traits_of(optimizer.kind).looks_ahead && !optimizer.sum; }

/// Whether a coordinate whose gradient was always 0 keeps its bits: with every recursion, but for weight decay, which moves all that is not
/// 0.
LIMRISK_INLINE constexpr bool keeps_still(const Optimizer& optimizer) { return optimizer.weight_decay == 0; }

/// lambda of the risk plus lambda / 2 |theta|^2 that the steps go down; 0 where weight decay is no gradient of anything.
LIMRISK_INLINE constexpr double trained_decay(const Optimizer& optimizer) { return optimizer.decoupled ? 0 : optimizer.weight_decay; }

constexpr Optimizer example_of(OptimizerKind kind, int k = 0) {
    Optimizer example{kind, 0, 0, 0, false, false};
    for (const auto& parameter : traits_of(kind).parameters) set(example, parameter, parameter.examples[k]);
    for (const auto& parameter : common_optimizer_parameters) set(example, parameter, parameter.examples[k]);
    return example;
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

}  // namespace limrisk::kernels
