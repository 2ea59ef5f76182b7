// The samples of "step 0" of trial 0 or of each, and the parameters of teachers, in double, with the lanes that every processor has.
#include <algorithm>
#include <vector>

#include "evaluation/density_law.hpp"
#include "evaluation/own_points.hpp"
#include "evaluation/rule.hpp"
#include "evaluation/scalar.hpp"
#include "kernels/law.hpp"
#include "kernels/picks.hpp"

namespace limrisk {
namespace {

/// Whose variates these are.
struct Stream {
    std::uint64_t seed, trial;
};

kernels::VecWord low_word(std::uint64_t trial) { return kernels::VecWord{} + static_cast<std::uint32_t>(trial); }
kernels::VecWord high_word(std::uint64_t trial) { return kernels::VecWord{} + static_cast<std::uint32_t>(trial >> 32); }

/// Variates, one word each, group of samples by group.
///   calls, per_group     of a group;   law_of(k)  law of variate k of a group;   put(group, k, value)  takes it
///   table                of laws of kind Table
template <class LawOf, class Put>
void draw(const Stream& stream, kernels::Purpose purpose, std::int64_t groups, std::int64_t calls, std::int64_t per_group,
          const LawOf& law_of, const Put& put, const kernels::QuantileTable<double>* table = nullptr) {
    for (std::int64_t group = 0; group < groups; ++group)
        for (std::int64_t call = 0; call < calls; ++call) {
            kernels::VecWord words[4] = {};
            words[1] += kernels::purpose_word(purpose, 0) + static_cast<std::uint32_t>(group * calls + call);
            words[2] = low_word(stream.trial);
            words[3] = high_word(stream.trial);
            kernels::philox(words, stream.seed);
            for (std::int64_t w = 0; w < 4 && 4 * call + w < per_group; ++w) {
                double value = kernels::uniform_register<double>(words[w], 0)[0];
                const kernels::Law law = law_of(4 * call + w);
                if (table != nullptr && law.kind == kernels::LawKind::Table)
                    kernels::apply_table(*table, law, &value, 1);
                else
                    kernels::apply_law(law, &value, 1);
                put(group, 4 * call + w, value);
            }
        }
}

/// Trial of which a teacher has the parameters: campaigns do not come so far.
constexpr std::uint32_t trial_of_teachers = 0xFFFFFFFF;  // both words

/// Variate number `variate` at a position of a purpose, of a teacher, through `law`.
double draw_parameter(const Teacher& teacher, kernels::Purpose purpose, std::int64_t position, std::int64_t variate,
                      const kernels::Law& law) {
    kernels::VecWord words[4] = {};
    words[0] += static_cast<std::uint32_t>(position);
    words[1] += kernels::purpose_word(purpose, 0) + static_cast<std::uint32_t>(variate / 4);
    words[2] += trial_of_teachers;
    words[3] += trial_of_teachers;
    kernels::philox(words, teacher.seed);
    double value = kernels::uniform_register<double>(words[variate % 4], 0)[0];
    kernels::apply_law(law, &value, 1);
    return value + 0.0;
}

}  // namespace

TeacherParameters draw_teacher(const Teacher& teacher, std::int64_t dimension) {
    const kernels::Initialization laws = initialization_laws(teacher.initialization, teacher.width, dimension);
    TeacherParameters drawn;
    for (std::int64_t i = 0; i < teacher.width; ++i)
        for (std::int64_t k = 0; k < dimension + 2; ++k)
            drawn.neurons.push_back(draw_parameter(teacher, kernels::Purpose::Neuron, i, k,
                                                   k < dimension    ? laws.inner_weight
                                                   : k == dimension ? laws.inner_bias
                                                                    : laws.outer_weight));
    drawn.outer_bias = draw_parameter(teacher, kernels::Purpose::OuterBias, 0, 0, laws.outer_bias);
    return drawn;
}

void draw_points(const kernels::Cell& cell, std::uint64_t trial, double* inputs, double* outputs) {
    using kernels::InputShape;
    using kernels::LawKind;
    const std::int64_t d = cell.dimension, count = cell.own_points;
    const std::int64_t size = kernels::samples_per_lane(d), groups = (count + size - 1) / size;
    const Stream stream{cell.seed, trial};
    const auto is_point = [&](std::int64_t group, std::int64_t k, std::int64_t per_sample) {
        return group * size + k / per_sample < count;
    };
    draw(
        stream, kernels::Purpose::Samples, groups, kernels::calls_per_group(d), size * d,
        [&](std::int64_t k) { return cell.coordinates == nullptr ? cell.input : cell.coordinates[k % d]; },
        [&](std::int64_t group, std::int64_t k, double value) {
            if (is_point(group, k, d)) inputs[group * size * d + k] = value;
        },
        &cell.input_table_double);
    if (cell.shape != InputShape::Coordinates) {
        std::vector<double> radii(static_cast<std::size_t>(count), cell.radius);
        constexpr kernels::Law unit{LawKind::Uniform, 0, 1, 0, 0, 0, 0};
        if (cell.shape == InputShape::Ball)
            draw(
                stream, kernels::Purpose::Radius, groups, 1, size, [&](std::int64_t) { return unit; },
                [&](std::int64_t group, std::int64_t k, double u) {
                    if (is_point(group, k, 1))
                        radii[static_cast<std::size_t>(group * size + k)] = kernels::radius_in_ball(u, cell.radius, d);
                });
        for (std::int64_t m = 0; m < count; ++m)
            kernels::move_to_radius(radii[static_cast<std::size_t>(m)], d, [&](std::int64_t k) -> double& { return inputs[m * d + k]; });
    }
    for (std::int64_t m = 0; m < count; ++m) outputs[m] = evaluate_target(cell.target, inputs + m * d);
    if (cell.noise.kind == LawKind::Zero) return;
    draw(
        stream, kernels::Purpose::Noise, groups, 1, size, [&](std::int64_t) { return cell.noise; },
        [&](std::int64_t group, std::int64_t k, double value) {
            if (!is_point(group, k, 1)) return;
            const std::int64_t m = group * size + k;
            if (cell.noise_factor.length > 0) value = value * evaluate_target(cell.noise_factor, inputs + m * d);
            outputs[m] += value;
        });
}

void resample_points(const kernels::Cell& cell, std::uint64_t trial, double* inputs, double* outputs, double* weights) {
    const kernels::NodeTable<double>& nodes = cell.training_nodes_double;
    const kernels::RoundKeys keys{cell.seed};
    const std::int64_t d = cell.dimension, count = cell.own_points;
    std::fill_n(weights, count, 0.0);
    kernels::VecWord words[4];
    for (std::int64_t m = 0; m < cell.resample; ++m) {
        if (m % 4 == 0) kernels::pick_words(keys, low_word(trial), high_word(trial), 0, m / 4, words);
        const kernels::VecWord word = words[m % 4];
        weights[cell.pick_thresholds == nullptr
                    ? static_cast<std::int64_t>(kernels::multiply_high(word, static_cast<std::uint32_t>(count))[0])
                    : kernels::picked_by_weight(cell.pick_thresholds, count, word[0])] += 1;
    }
    const std::int64_t first = std::find_if(weights, weights + count, [](double chosen) { return chosen > 0; }) - weights;
    for (std::int64_t m = 0; m < count; ++m) {
        const std::int64_t node = weights[m] > 0 ? m : first;
        std::copy_n(nodes.inputs + node * d, d, inputs + m * d);
        outputs[m] = nodes.targets[node];
        weights[m] = weights[m] / static_cast<double>(cell.resample);
    }
}

void move_to_radius(const InputLaw& input, double u, double* coordinates) {
    const std::int64_t d = input.dimension;
    const double radius = input.kind == InputLaw::Kind::Ball ? kernels::radius_in_ball(u, input.radius, d) : input.radius;
    kernels::move_to_radius(radius, d, [&](std::int64_t k) -> double& { return coordinates[k]; });
}

std::vector<bool> held_out_points(std::uint64_t seed, std::int64_t count, std::int64_t held) {
    const kernels::VecWord trial{};
    const kernels::EpochOrder order(kernels::RoundKeys{seed}, trial, trial, 0, static_cast<std::uint32_t>(count),
                                    kernels::Purpose::Holdout);
    std::vector<bool> chosen(static_cast<std::size_t>(count));
    for (std::int64_t place = 0; place < held; ++place) chosen[order.at(static_cast<std::uint32_t>(place))[0]] = true;
    return chosen;
}

void draw_points(const Problem& problem, const kernels::Program& target, std::vector<double>& inputs, std::vector<double>& outputs) {
    const std::int64_t d = problem.input.dimension, count = problem.data->count;
    const std::int64_t size = kernels::samples_per_lane(d), groups = (count + size - 1) / size;
    inputs.resize(static_cast<std::size_t>(groups * size * d));
    const kernels::Law law = input_law(problem.input);
    const std::vector<kernels::Law> laws = coordinate_laws(problem.input);
    const Stream stream{problem.data->draw_seed, 0};
    const auto numbers = problem.input.has_table() ? quantile_table<double>(problem.input) : nullptr;
    const kernels::QuantileTable<double> table = numbers ? numbers->view() : kernels::QuantileTable<double>{};
    draw(
        stream, kernels::Purpose::Samples, groups, kernels::calls_per_group(d), size * d,
        [&](std::int64_t k) { return laws.empty() ? law : laws[static_cast<std::size_t>(k % d)]; },
        [&](std::int64_t group, std::int64_t k, double value) { inputs[static_cast<std::size_t>(group * size * d + k)] = value; },
        numbers ? &table : nullptr);
    if (problem.input.is_round()) {
        std::vector<double> radial(static_cast<std::size_t>(groups * size));
        constexpr kernels::Law unit{kernels::LawKind::Uniform, 0, 1, 0, 0, 0, 0};
        if (problem.input.kind == InputLaw::Kind::Ball)
            draw(
                stream, kernels::Purpose::Radius, groups, 1, size, [&](std::int64_t) { return unit; },
                [&](std::int64_t group, std::int64_t k, double value) { radial[static_cast<std::size_t>(group * size + k)] = value; });
        for (std::size_t m = 0; m < radial.size(); ++m) move_to_radius(problem.input, radial[m], &inputs[m * static_cast<std::size_t>(d)]);
    }
    inputs.resize(static_cast<std::size_t>(count * d));
    for (std::int64_t m = 0; m < count; ++m) outputs.push_back(evaluate_target(target, &inputs[static_cast<std::size_t>(m * d)]));
    if (problem.noise.kind == NoiseLaw::Kind::None) return;
    const Expression factor = Expression::compile(problem.noise.factor.empty() ? "1" : problem.noise.factor, d);
    draw(
        stream, kernels::Purpose::Noise, groups, 1, size, [&](std::int64_t) { return noise_law(problem.noise); },
        [&](std::int64_t group, std::int64_t k, double value) {
            const std::int64_t m = group * size + k;
            if (m >= count) return;
            if (!problem.noise.factor.empty()) value = value * evaluate_target(factor.program(), &inputs[static_cast<std::size_t>(m * d)]);
            outputs[static_cast<std::size_t>(m)] += value;
        });
}

}  // namespace limrisk
