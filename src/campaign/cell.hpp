// A cell of a campaign: everything that a trial's trajectory depends on, in the campaign's own words.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "campaign/data_set.hpp"
#include "campaign/start.hpp"
#include "kernels/cell.hpp"
#include "kernels/kinds.hpp"
#include "kernels/law_kinds.hpp"

namespace limrisk {

/// Law of the input X: independent coordinates, on a box or on the whole space (of a density only one coordinate); or the uniform law on a
/// sphere or in a ball around 0.
struct InputLaw {
    enum class Kind { Uniform, Normal, Sphere, Ball, Beta, Density } kind = Kind::Uniform;
    std::int64_t dimension = 1;
    bool bounded = true;                        ///< has a box: uniform, beta, density always; normal: truncated to it
    double low = 0, high = 1;                   ///< box [low, high]^dimension, if bounded; NaN if the coordinates have different ends
    double mean = 0, deviation = 1;             ///< normal
    double radius = 1;                          ///< sphere, ball
    std::vector<double> lows = {}, highs = {};  ///< [dimension] ends of a box that is no cube; else empty
    double a = 1, b = 1;                        ///< beta: density x^(a - 1) (1 - x)^(b - 1) on [0, 1], stretched to [low, high]
    std::string density = {};                   ///< density: expression in x1 that the density is a multiple of

    /// A sphere or a ball.
    bool is_round() const { return kind == Kind::Sphere || kind == Kind::Ball; }
    /// Whether its coordinates are given by their density: their variates are made by a table of the quantile function.
    bool has_table() const { return kind == Kind::Beta || kind == Kind::Density; }
    /// Whether the coordinates have different ends.
    bool has_own_ends() const { return !lows.empty(); }
    /// The law of coordinate k alone, in dimension 1; on a sphere or in a ball, of the normal variate that it is made of.
    InputLaw coordinate(std::int64_t k) const {
        InputLaw law = alone(k);
        if (is_round()) law.kind = Kind::Normal;
        return law;
    }
    /// The same; of a sphere or ball the uniform law on [-radius, radius], the side of the smallest cube that holds it.
    InputLaw hull(std::int64_t k) const {
        InputLaw law = alone(k);
        if (!is_round()) return law;
        law.kind = Kind::Uniform;
        law.bounded = true;
        law.low = -radius;
        law.high = radius;
        return law;
    }
    /// Whether integrals against it are computed exactly, up to rounding, between the kinks of what is integrated.
    bool has_exact_integrals() const { return dimension == 1; }
    /// Whether the rules of integrals are tensor grids, with numbers of nodes per axis; else these are of all nodes.
    bool has_tensor_rules() const { return dimension <= 3 && !is_round(); }
    /// Numbers of nodes of a rule at the checks where a campaign does not say it.
    std::int64_t usual_nodes() const {
        constexpr std::int64_t of_tensor_rules[] = {64, 16, 8};
        return has_tensor_rules() ? of_tensor_rules[dimension - 1] : 1024;
    }
    /// The same of final and best risks.
    std::int64_t usual_final_nodes() const {
        constexpr std::int64_t of_tensor_rules[] = {4096, 48, 16};
        return has_tensor_rules() ? of_tensor_rules[dimension - 1] : 16384;
    }

private:
    InputLaw alone(std::int64_t k) const {
        InputLaw law{kind, 1, bounded, low, high, mean, deviation, radius, {}, {}, a, b, density};
        if (!has_own_ends()) return law;
        law.low = lows.at(static_cast<std::size_t>(k));
        law.high = highs.at(static_cast<std::size_t>(k));
        return law;
    }
};

/// Law of the noise that is added to the target: Y = f(X) + noise, independent of X but for a deviation that is a function of it.
struct NoiseLaw {
    enum class Kind { None, Normal, Uniform, TwoPoint, Exponential } kind = Kind::None;
    double deviation = 1;      ///< normal, exponential
    double low = 0, high = 0;  ///< uniform, two_point
    double probability = 0;    ///< two_point: of `high`
    std::string factor = {};   ///< normal: expression in x1 .. xd whose absolute value is the deviation, `deviation` being 1; else empty

    double mean() const {
        if (kind == Kind::Uniform) return 0.5 * low + 0.5 * high;
        return kind == Kind::TwoPoint ? low + probability * (high - low) : 0;
    }
    /// Without the factor; with it: noise_variance (evaluation/target_moments.hpp).
    double variance() const {
        if (kind == Kind::None) return 0;
        if (kind == Kind::Uniform) return (high - low) * (high - low) / 12;
        if (kind == Kind::TwoPoint) return probability * (1 - probability) * (high - low) * (high - low);
        return deviation * deviation;
    }
};

/// Law of the first parameters of one group. Texts are expressions in h and d, width and dimension; empty: not given.
struct GroupLaw {
    enum class Kind { Zero, Constant, Normal, Uniform } kind = Kind::Zero;
    std::string scale = {};           ///< constant: the value; normal: standard deviation; uniform: half width around 0
    std::string low = {}, high = {};  ///< uniform, in the place of the half width

    /// In numbers; a width of 0 counts as 1. Throws ExpressionFailure for a text that is no expression.
    kernels::Law law(std::int64_t width, std::int64_t dimension) const;
    bool depends_on_width() const;
};

struct InitializationRule {
    enum class Kind {
        Pytorch,
        KaimingUniform,
        KaimingNormal,
        XavierUniform,
        XavierNormal,
        StandardNormal,
        Uniform,
        LecunNormal,
        LecunUniform,
        Groups,
        Orthogonal,
        RandomizedAsymmetric,
        DataDependent
    } kind = Kind::Pytorch;
    bool drawn_bias = true;
    double low = 0, high = 0;                                                         ///< uniform
    GroupLaw inner_weight = {}, inner_bias = {}, outer_weight = {}, outer_bias = {};  ///< groups
    GroupLaw skip_weight = {};                                                        ///< groups, with a skip connection
    double gain = 1;                                                                  ///< orthogonal: factor of w
    double spread = 0;                                                                ///< data_dependent: z at its point is this times |N|

    /// Whether parameters are drawn together, by the host before the training, and not each by the law of its group.
    bool draws_together() const { return kind == Kind::Orthogonal || kind == Kind::RandomizedAsymmetric || kind == Kind::DataDependent; }
};

/// A target that is a network, with parameters drawn once by an initialization.
struct Teacher {
    std::int64_t width = 1;
    kernels::Activation activation{kernels::ActivationKind::Relu, 0, 0, 0};
    InitializationRule initialization;
    std::uint64_t seed = 0;
    std::string label;  ///< "a teacher of width 4, relu, standard_normal, seed 3"
};

/// Parameters of a teacher, in double: docs/numerics.md section 8.
struct TeacherParameters {
    std::vector<double> neurons;  ///< [width][dimension + 2]: w, b, v
    double outer_bias = 0;
};

/// Defined in src/evaluation/drawn_points.cpp, where the laws are.
TeacherParameters draw_teacher(const Teacher& teacher, std::int64_t dimension);

/// Numbers of nodes: per axis (a multiple of 4) where the law has tensor rules, else in all.
struct EvaluationRule {
    std::int64_t check_nodes = 0;
    std::int64_t final_nodes = 0;  ///< 0 where the risk is exact
};

/// What a step is computed from.
enum class Sampling {
    Usual,            ///< not said: FullBatch with data, else Fresh, unless there is a grid of nodes
    Fresh,            ///< new samples of the input law
    FullBatch,        ///< all data points
    WithReplacement,  ///< data points drawn independently of each other by their weights
    Epochs,           ///< data points in a random order, a new one in every epoch
};

/// What networks are fitted to: the law of the inputs and the target, or data points; the measure that is trained on, and what stands for
/// the true risk. Ask it for a property, not for its dimension.
struct Problem {
    InputLaw input;                          ///< with data: the smallest cube [low, high]^d that holds all points
    std::string target = "x1";               ///< with data: empty; of a teacher: once it is drawn
    std::shared_ptr<const Teacher> teacher;  ///< whose expression the target is; null: it is as it was written
    kernels::Loss loss;                      ///< of the residual, whose mean is the risk
    NoiseLaw noise;                          ///< in the outputs of fresh samples, or of points that are to be drawn
    std::shared_ptr<const DataSet> data;     ///< null: an input law and a target
    std::int64_t nodes_per_axis = 0;         ///< of the midpoint grid that is trained on; 0: no grid
    Sampling sampling = Sampling::Usual;
    EvaluationRule evaluation;

    /// The expression of E[Y | X], which every risk is taken against: the target, plus the mean of the noise.
    std::string regression() const;
    /// The target in words: that expression, or the teacher's label.
    std::string regression_label() const;
    std::string target_label() const { return teacher != nullptr ? teacher->label : target; }
    /// Whether risks are those against E[Y | X] of a Y with noise; on data points the noise is in the outputs.
    bool leaves_noise_out() const { return noise.kind != NoiseLaw::Kind::None && !has_data(); }
    /// Whether X and Y are those of data points. Then the risk is that on the data, a weighted sum.
    bool has_data() const { return data != nullptr; }
    /// Whether every trial has points of its own, drawn from the input law, the target and the noise, or of those that are given.
    bool has_own_points() const { return has_data() && data->per_trial; }
    /// Whether a trial's own points are some of those that are given, chosen by chance.
    bool resamples() const { return has_data() && !data->resample.empty(); }
    /// Whether there are points that the campaign gives, or that were drawn once.
    bool has_given_points() const { return has_data() && !data->to_draw; }
    /// Whether X and Y are those of points that all trials share.
    bool has_shared_data() const { return has_data() && !data->per_trial; }
    /// Whether there are points that are held out of everything but the validation risk.
    bool has_validation() const { return has_data() && data->validation != nullptr; }
    /// Whether the risk is the mean square of the residual: what least squares, optima and levels need.
    bool has_squared_loss() const { return loss.kind == kernels::LossKind::Squared; }
    /// Whether final and best risks are integrals without error, up to rounding; else a sum over final nodes, or over the data. Other
    /// losses than the square have kinks where the residual changes its sign or passes delta, or are no polynomials.
    bool has_exact_risk() const { return !has_data() && has_squared_loss() && input.has_exact_integrals(); }
    /// Whether `evaluation.final_nodes` stand for the law.
    bool has_final_rule() const { return !has_data() && !has_exact_risk(); }
    /// Whether every step has new samples of the law.
    bool has_fresh_samples() const { return !has_data() && nodes_per_axis == 0; }
    bool has_training_grid() const { return nodes_per_axis > 0; }
    /// Whether a step draws some of the data points.
    bool draws_data() const { return has_data() && (sampling == Sampling::WithReplacement || sampling == Sampling::Epochs); }
    /// Whether every step uses the same points: a grid, or all data.
    bool has_full_batch() const { return !has_fresh_samples() && !draws_data(); }
};

/// Makes the data points a problem's own: its input is then the cube that holds them, and it has no target.
void set_data(Problem& problem, DataPointer data);

/// When a trial ends before its last check: docs/numerics.md section 10. Not to be confused with StoppingCriterion, which ends a cell.
struct EarlyEnd {
    double risk_below = 0, gradient_below = 0;  ///< at a check with a smaller risk, norm of the gradient; 0: never
    bool converged = false;                     ///< with the first window of checks that is converged
    bool all_inactive = false;                  ///< at a check at which all neurons are inactive
    bool proved = false;                        ///< at a check at which the limiting risk is proved
    bool kinks_crossed = false;                 ///< at a check at which a kink has crossed a training point

    /// Whether any trial can end so.
    bool any() const { return stops() || converged; }
    /// Whether any trial can have the verdict stopped.
    bool stops() const { return risk_below > 0 || gradient_below > 0 || all_inactive || kinks_crossed || proved; }
};

/// Average of the iterates that a trial keeps beside them: docs/numerics.md section 9.
struct AverageRule {
    enum class Kind { None, Arithmetic, Exponential, Partial } kind = Kind::None;
    std::int64_t start = 0;  ///< arithmetic: the last step that is left out
    double delta = 0;        ///< exponential: what the average before a step counts in that after it
    double last = 0;         ///< partial: share of the steps, the last ones, that is averaged over

    bool operator==(const AverageRule&) const = default;
};

/// One point of the sweep: a problem, a network, and its training. `description` and `id` are filled by the campaign reader.
struct CellConfig : Problem {
    std::int64_t index = 0;  ///< position in the campaign, 0-based
    std::uint64_t seed = 1;
    kernels::Precision precision = kernels::Precision::Float32;
    std::int64_t width = 1;
    kernels::Activation activation{kernels::ActivationKind::Relu, 0, 0, 0};
    InitializationRule initialization;
    StartPointer start;  ///< where trials start; null: where the initialization draws them
    std::int64_t inactive_start =
        -1;                         ///< neurons that are inactive at the start of every trial: its law is that on this condition; -1: none
    bool outer_bias = true;         ///< else N has no c: it is 0
    bool skip = false;              ///< N has a skip connection, the term <u, x>
    std::string trainable = "all";  ///< or some of the letters wbvcu, in this order: the other groups of parameters stay as they were drawn
    std::int64_t batch = 32;        ///< samples per step; with has_full_batch() all nodes or points
    kernels::Optimizer optimizer{kernels::OptimizerKind::Sgd, 0, 0, 0, false, false};
    kernels::LearningRate learning_rate{0.01, 0};
    AverageRule average;
    kernels::Algorithm algorithm = kernels::Algorithm::Plain;
    kernels::Sums sums = kernels::Sums::Blocks;  ///< has an effect where has_large_batch()
    std::int64_t steps = 1000;
    std::int32_t checks = 64, tail = 16;
    double tolerance = 1e-3;  ///< of the verdict
    bool kinks = false;       ///< whether checks compare the kinks of neurons with those at the start
    EarlyEnd stop;

    /// Whether the start is drawn on the condition that a number of neurons is inactive.
    bool has_condition() const { return inactive_start >= 0; }
    /// The groups of parameters that training leaves alone.
    kernels::Groups held() const {
        const auto is_held = [this](char group) { return trainable != "all" && trainable.find(group) == std::string::npos; };
        return {is_held('w'), is_held('b'), is_held('v'), is_held('c') || !outer_bias, skip && is_held('u')};
    }
    bool trains_all() const { return !any(held()); }
    /// Number of parameters of a network.
    std::int64_t parameter_count() const { return kernels::parameter_count(width, input.dimension, skip); }
    /// Whether the best c, v and u, given the neurons, are within reach of the training.
    bool trains_outer_layer() const { return !held().outer_weights && !held().outer_bias && !held().skip_weights; }
    /// Whether w and b stay as they were drawn: then no neuron ever changes its state.
    bool holds_inner_layer() const { return held().inner_weights && held().inner_biases; }
    /// Whether parameters are given at which trials start: then nothing about them is random.
    bool has_start() const { return start != nullptr; }
    /// Whether the kernels begin with parameters of the host: those that are given, or drawn together.
    bool begins_on_host() const { return has_start() || initialization.draws_together(); }
    /// Whether optima and levels of its problem can be searched: those of squares, of networks with an outer bias, on points that all
    /// trials share; with a skip connection in dimension 1 alone, with ReLU and a law of the input.
    bool has_searchable_optimum() const {
        const bool line = has_exact_risk() && activation.kind == kernels::ActivationKind::Relu;
        return has_squared_loss() && outer_bias && !has_own_points() && (!skip || line);
    }
    /// Whether neurons can freeze and then stay of no use to the end: what certificates rest on.
    bool keeps_frozen_neurons() const {
        return kernels::has_frozen_neurons(activation.kind) && (kernels::keeps_still(optimizer) || holds_inner_layer());
    }
    /// Whether trials have an average beside their iterates.
    bool has_average() const { return average.kind != AverageRule::Kind::None; }
    /// Whether a step adds up more samples in float32 than one block has.
    bool has_large_batch() const {
        return precision == kernels::Precision::Float32 && algorithm == kernels::Algorithm::Plain && batch > kernels::block_samples;
    }
    bool has_block_sums() const { return has_large_batch() && sums == kernels::Sums::Blocks; }

    std::string description;  ///< normalised: canonical JSON, keys sorted, all of the above but index and defaults of later keys
    std::string id;           ///< XXH3-128 of the description, 32 hexadecimal digits

    /// Short human names of the parts, for tables: e.g. "relu", "leaky_relu(0.01)", "pytorch", "adam(0.01)", "fresh", "nodes(128)".
    std::string activation_label, initialization_label, condition_label, optimizer_label, average_label, input_label, loss_label,
        noise_label, sampling_label;
};

}  // namespace limrisk
