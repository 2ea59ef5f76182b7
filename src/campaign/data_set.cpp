// Points to what a cell has of them, and to canonical JSON and back.
#include "campaign/data_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "campaign/cell.hpp"
#include "campaign/cell_description.hpp"
#include "campaign/data_treatment.hpp"
#include "campaign/document.hpp"
#include "expression/expression.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using nlohmann::json;

/// What takes a column of the data to mean 0 and deviation 1. Measured from the first value and in units of the largest distance: rounding
/// and overflow stay away.
struct ColumnScale {
    double start = 0, unit = 1, mean = 0, deviation = 1;
    double of(double value) const { return ((value - start) / unit - mean) / deviation; }
};

/// Numbers of one column of points: input k, or with k = dimension the output.
struct Column {
    std::vector<double>& values;
    std::size_t first, stride;
    double& at(std::size_t i) const { return values[i * stride + first]; }
};

Column column_of(RawPoints& points, std::int64_t k) {
    const auto d = static_cast<std::size_t>(points.dimension);
    return k < points.dimension ? Column{points.inputs, static_cast<std::size_t>(k), d} : Column{points.outputs, 0, 1};
}

/// Takes the columns of the training points to mean 0 and deviation 1, and those that are held out along with them.
///   held_out  null: there are none
void standardize(RawPoints& points, RawPoints* held_out) {
    const std::size_t count = points.outputs.size();
    const auto weight = [&](std::size_t i) { return points.weights.empty() ? 1.0 : points.weights[i]; };
    for (std::int64_t k = 0; k <= points.dimension; ++k) {
        const std::string name = k < points.dimension ? fmt::format("input {}", k + 1) : "the output";
        const Column column = column_of(points, k);
        ColumnScale scale{column.at(0), 0, 0, 1};
        double mass = 0, variance = 0;
        for (std::size_t i = 0; i < count; ++i) scale.unit = std::max(scale.unit, std::abs(column.at(i) - scale.start));
        if (scale.unit == 0) {
            const char* const whose = held_out == nullptr ? "" : "training ";
            throw ConfigError({fmt::format("standardize: {} is the same at all {}points; it cannot have deviation 1", name, whose)});
        }
        if (!std::isfinite(scale.unit)) throw ConfigError({fmt::format("standardize: {} has values that are too far apart", name)});
        for (std::size_t i = 0; i < count; ++i) mass += weight(i), scale.mean += weight(i) * ((column.at(i) - scale.start) / scale.unit);
        scale.mean /= mass;
        for (std::size_t i = 0; i < count; ++i)
            variance += weight(i) * std::pow((column.at(i) - scale.start) / scale.unit - scale.mean, 2) / mass;
        scale.deviation = std::sqrt(variance);
        for (std::size_t i = 0; i < count; ++i) column.at(i) = scale.of(column.at(i));
        if (held_out == nullptr) continue;
        const Column other = column_of(*held_out, k);
        for (std::size_t i = 0; i < held_out->outputs.size(); ++i) {
            other.at(i) = scale.of(other.at(i));
            if (!std::isfinite(other.at(i)))
                throw ConfigError(
                    {fmt::format("standardize: {} of validation point {} is too far away from the training points", name, i + 1)});
        }
    }
}

/// Those of the points for which `chosen` is `value`, in their order.
RawPoints part_of(const RawPoints& points, const std::vector<bool>& chosen, bool value) {
    RawPoints part{points.dimension, {}, {}, {}};
    const auto d = static_cast<std::ptrdiff_t>(points.dimension);
    for (std::size_t i = 0; i < points.outputs.size(); ++i) {
        if (chosen[i] != value) continue;
        const auto first = points.inputs.begin() + static_cast<std::ptrdiff_t>(i) * d;
        part.inputs.insert(part.inputs.end(), first, first + d);
        part.outputs.push_back(points.outputs[i]);
        if (!points.weights.empty()) part.weights.push_back(points.weights[i]);
    }
    return part;
}

void drop_equal_weights(RawPoints& points) {
    if (std::adjacent_find(points.weights.begin(), points.weights.end(), std::not_equal_to<>()) == points.weights.end())
        points.weights.clear();
}

/// Of points with positive weights, not all equal, or none. Throws ConfigError with what is wrong.
std::shared_ptr<DataSet> built(RawPoints raw) {
    const auto d = static_cast<std::size_t>(raw.dimension);
    auto data = std::make_shared<DataSet>();
    data->dimension = raw.dimension;
    data->count = static_cast<std::int64_t>(raw.outputs.size());
    for (std::vector<double>* values : {&raw.inputs, &raw.outputs})
        for (double& value : *values) value += 0.0;  // -0 is 0
    const auto [low, high] = std::minmax_element(raw.inputs.begin(), raw.inputs.end());
    data->low = *low, data->high = *high;
    data->weighted = !raw.weights.empty();
    json text = json::object();
    json& inputs = text["inputs"] = json::array();
    for (std::size_t i = 0; i < raw.outputs.size(); ++i)
        inputs.push_back(std::vector<double>(raw.inputs.begin() + static_cast<std::ptrdiff_t>(i * d),
                                             raw.inputs.begin() + static_cast<std::ptrdiff_t>((i + 1) * d)));
    text["outputs"] = raw.outputs;
    if (data->weighted) text["weights"] = raw.weights;
    data->text = text.dump();
    if (data->text.size() > most_data_text)
        throw ConfigError({fmt::format(
            "{} points take {} MiB as text; at most {} MiB are allowed, since a store keeps a copy of them: about {} points", data->count,
            data->text.size() >> 20, most_data_text >> 20, static_cast<std::size_t>(data->count) * most_data_text / data->text.size())});
    data->hash = cell_id(data->text);
    data->inputs = std::move(raw.inputs);
    data->outputs = std::move(raw.outputs);
    if (data->weighted) {
        double sum = 0;
        for (const double weight : raw.weights) sum += weight;
        for (const double weight : raw.weights) {
            data->weights.push_back(weight / sum);
            if (data->weights.back() == 0)
                throw ConfigError(
                    {fmt::format("a point has the weight {}, which is nothing beside the sum {}; give it more, or 0", weight, sum)});
        }
    } else {
        data->weights.assign(data->outputs.size(), 1 / static_cast<double>(data->count));
    }
    return data;
}

}  // namespace

void drop_weightless(RawPoints& points) {
    if (points.weights.empty()) return;
    double sum = 0;
    std::vector<bool> positive;
    for (std::size_t i = 0; i < points.weights.size(); ++i) {
        if (points.weights[i] < 0)
            throw ConfigError({fmt::format("point {} has the weight {}; weights are at least 0", i + 1, points.weights[i])});
        positive.push_back(points.weights[i] > 0);
        sum += points.weights[i];
    }
    points = part_of(points, positive, true);
    if (points.weights.empty()) throw ConfigError({"all weights are 0; at least one must be positive"});
    if (!std::isfinite(sum)) throw ConfigError({"the sum of the weights is not finite; make them smaller"});
}

std::int64_t held_out_count(double share, std::int64_t count) {
    const auto held = static_cast<std::int64_t>(std::floor(share * static_cast<double>(count) + 0.5));
    if (held >= 1 && held < count) return held;
    throw ConfigError({fmt::format("holdout is {}, which holds out {} of {} points{}; at least one is to be held out and one to be left",
                                   share, held, count, count == 1 ? "" : ", rounded")});
}

std::shared_ptr<DataSet> finished_data(RawPoints points, DataTreatment treatment) {
    std::optional<RawPoints>& others = treatment.validation;
    drop_weightless(points);
    if (treatment.holdout > 0) {
        const auto count = static_cast<std::int64_t>(points.outputs.size());
        const std::vector<bool> held = held_out_points(treatment.seed, count, held_out_count(treatment.holdout, count));
        others = part_of(points, held, true);
        points = part_of(points, held, false);
    }
    drop_equal_weights(points);
    if (others) drop_equal_weights(*others);
    if (treatment.standardize) standardize(points, others ? &*others : nullptr);
    std::shared_ptr<DataSet> data = built(std::move(points));
    if (others) data->validation = built(std::move(*others));
    return data;
}

std::string DataSet::label() const {
    if (!resample.empty())
        return fmt::format("{} of {} {}data point{}{} for each trial", resample, count, weighted ? "weighted " : "", count == 1 ? "" : "s",
                           dimension == 1 ? "" : fmt::format(" in dimension {}", dimension));
    if (per_trial) return fmt::format("{} point{} for each trial", count, count == 1 ? "" : "s");
    const std::string others = validation == nullptr ? "" : fmt::format(", {} for validation", validation->count);
    if (!origin.empty()) return fmt::format("{} point{} of {}{}", count, count == 1 ? "" : "s", origin, others);
    return fmt::format("{} {}data point{}{}{}", count, weighted ? "weighted " : "", count == 1 ? "" : "s",
                       dimension == 1 ? "" : fmt::format(" in dimension {}", dimension), others);
}

void set_data(Problem& problem, DataPointer data) {
    if (data->to_draw) {
        problem.data = std::move(data);
        return;
    }
    problem.noise = {};
    problem.input = InputLaw{};
    problem.input.dimension = data->dimension;
    problem.input.low = data->low;
    problem.input.high = data->high;
    problem.target.clear();
    problem.teacher = nullptr;
    problem.data = std::move(data);
}

DataPointer draw_data(const Problem& problem, const std::string& origin) {
    const DataSet& rule = *problem.data;
    // Cells of a sweep share their points.
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<const DataSet>> drawn_before;
    const InputLaw& input = problem.input;
    const std::string key = fmt::format("{} {} {} {}", rule.count, rule.holdout, input.dimension, origin);
    const std::lock_guard lock(mutex);
    std::weak_ptr<const DataSet>& known = drawn_before[key];
    if (DataPointer data = known.lock()) return data;
    const Expression target = Expression::compile(problem.regression(), problem.input.dimension);
    RawPoints points{input.dimension, {}, {}, {}};
    draw_points(problem, target.program(), points.inputs, points.outputs);
    for (std::size_t i = 0; i < points.outputs.size(); ++i)
        if (!std::isfinite(points.outputs[i]))
            throw ConfigError(
                {fmt::format("the target \"{}\" is {} at drawn point {}; it must be finite wherever the input "
                             "law has mass",
                             abbreviated(problem.target_label()), points.outputs[i], i + 1)});
    const std::shared_ptr<DataSet> data = finished_data(std::move(points), {{}, rule.holdout, rule.draw_seed, false});
    data->origin = origin;
    known = data;
    return data;
}

DataPointer data_from_text(std::string_view text) {
    const auto wrong = [] { throw ConfigError({"the stored data points are not as limrisk writes them"}); };
    RawPoints points;
    try {
        const json all = json::parse(text);
        for (const json& point : all.at("inputs")) {
            const auto values = point.get<std::vector<double>>();
            if (points.inputs.empty()) points.dimension = static_cast<std::int64_t>(values.size());
            if (values.empty() || static_cast<std::int64_t>(values.size()) != points.dimension) wrong();
            points.inputs.insert(points.inputs.end(), values.begin(), values.end());
        }
        points.outputs = all.at("outputs").get<std::vector<double>>();
        if (all.contains("weights")) points.weights = all.at("weights").get<std::vector<double>>();
    } catch (const json::exception&) {
        wrong();
    }
    const std::size_t count = points.outputs.size();
    if (count == 0 || points.inputs.size() != count * static_cast<std::size_t>(points.dimension) ||
        (!points.weights.empty() && points.weights.size() != count))
        wrong();
    DataPointer data = finished_data(std::move(points));
    if (data->text != text) wrong();
    return data;
}

}  // namespace limrisk
