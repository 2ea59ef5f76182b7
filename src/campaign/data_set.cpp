// Lists, and what files hold, to points; points to canonical JSON and back. Sizes are checked before anything of their size is allocated.
#include "campaign/data_set.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "campaign/cell.hpp"
#include "campaign/cell_description.hpp"
#include "campaign/document.hpp"
#include "campaign/other_names.hpp"
#include "campaign/points_file.hpp"
#include "campaign/problems.hpp"
#include "expression/expression.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using nlohmann::json;

constexpr const char* forms =
    "{ points = [[x, y], ...] } with x1, ..., xd, y per point, { file = \"points.csv\", inputs = [\"x\"], output = \"y\" }, "
    "{ draw = 1024, seed = 7 }, or { draw = 6, per = \"trial\" }";

void standardize(RawPoints& points) {
    const std::size_t count = points.outputs.size();
    const auto weight = [&](std::size_t i) { return points.weights.empty() ? 1.0 : points.weights[i]; };
    // Measured from the first value and in units of the largest distance: rounding and overflow stay away.
    const auto column = [&](std::vector<double>& values, std::size_t first, std::size_t stride, const std::string& name) {
        const auto at = [&](std::size_t i) -> double& { return values[i * stride + first]; };
        const double start = at(0);
        double mass = 0, mean = 0, unit = 0, variance = 0;
        for (std::size_t i = 0; i < count; ++i) at(i) -= start, unit = std::max(unit, std::abs(at(i)));
        if (unit == 0) throw ConfigError({fmt::format("standardize: {} is the same at all points; it cannot have deviation 1", name)});
        if (!std::isfinite(unit)) throw ConfigError({fmt::format("standardize: {} has values that are too far apart", name)});
        for (std::size_t i = 0; i < count; ++i) mass += weight(i), mean += weight(i) * (at(i) / unit);
        mean /= mass;
        for (std::size_t i = 0; i < count; ++i) variance += weight(i) * std::pow(at(i) / unit - mean, 2) / mass;
        for (std::size_t i = 0; i < count; ++i) at(i) = (at(i) / unit - mean) / std::sqrt(variance);
    };
    const auto d = static_cast<std::size_t>(points.dimension);
    for (std::size_t k = 0; k < d; ++k) column(points.inputs, k, d, fmt::format("input {}", k + 1));
    column(points.outputs, 0, 1, "the output");
}

/// Points of weight 0 are left out: they contribute nothing. Throws ConfigError with what is wrong.
DataPointer finished(RawPoints raw, bool standardized = false) {
    const auto d = static_cast<std::size_t>(raw.dimension);
    if (!raw.weights.empty()) {
        std::size_t kept = 0;
        double sum = 0;
        for (std::size_t i = 0; i < raw.weights.size(); ++i) {
            if (raw.weights[i] < 0)
                throw ConfigError({fmt::format("point {} has the weight {}; weights are at least 0", i + 1, raw.weights[i])});
            if (raw.weights[i] == 0) continue;
            sum += raw.weights[i];
            std::copy_n(raw.inputs.begin() + static_cast<std::ptrdiff_t>(i * d), d,
                        raw.inputs.begin() + static_cast<std::ptrdiff_t>(kept * d));
            raw.outputs[kept] = raw.outputs[i];
            raw.weights[kept++] = raw.weights[i];
        }
        if (kept == 0) throw ConfigError({"all weights are 0; at least one must be positive"});
        if (!std::isfinite(sum)) throw ConfigError({"the sum of the weights is not finite; make them smaller"});
        raw.inputs.resize(kept * d), raw.outputs.resize(kept), raw.weights.resize(kept);
        if (std::adjacent_find(raw.weights.begin(), raw.weights.end(), std::not_equal_to<>()) == raw.weights.end()) raw.weights.clear();
    }
    if (standardized) standardize(raw);
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

std::optional<double> number_of(const Node& node) {
    if (node.kind != Node::Kind::Integer && node.kind != Node::Kind::Real) return std::nullopt;
    return std::isfinite(node.real) ? std::optional(node.real) : std::nullopt;
}

/// Throws ConfigError with what is wrong.
RawPoints points_of(const Node& list, const Node* weights) {
    const auto wrong = [](std::string what) { throw ConfigError({std::move(what)}); };
    if (list.kind != Node::Kind::Array || list.items.empty()) wrong(fmt::format("points is {}; allowed is a list of points", list.shown()));
    RawPoints points;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        const Node& point = list.items[i];
        const std::size_t size = point.kind == Node::Kind::Array ? point.items.size() : 0;
        if (size < 2 || size > most_data_dimension + 1)
            wrong(fmt::format("point {} is {}; a point is a list of 2 to {} numbers x1, ..., xd, y", i + 1, point.shown(),
                              most_data_dimension + 1));
        if (i == 0) points.dimension = static_cast<std::int64_t>(size) - 1;
        if (static_cast<std::int64_t>(size) != points.dimension + 1)
            wrong(fmt::format("point {} has {} numbers, point 1 has {}; all points have the same dimension", i + 1, size,
                              points.dimension + 1));
        for (std::size_t k = 0; k < size; ++k) {
            const auto value = number_of(point.items[k]);
            if (!value) wrong(fmt::format("number {} of point {} is {}; allowed is a finite number", k + 1, i + 1, point.items[k].shown()));
            (k + 1 < size ? points.inputs : points.outputs).push_back(*value);
        }
    }
    if (weights == nullptr) return points;
    if (weights->kind != Node::Kind::Array || weights->items.size() != points.outputs.size())
        wrong(
            fmt::format("weights is {}; allowed is a list of {} numbers, one for each point",
                        weights->kind == Node::Kind::Array ? fmt::format("a list of {} numbers", weights->items.size()) : weights->shown(),
                        points.outputs.size()));
    for (std::size_t i = 0; i < weights->items.size(); ++i) {
        const auto value = number_of(weights->items[i]);
        if (!value) wrong(fmt::format("weight {} is {}; allowed is a number of at least 0", i + 1, weights->items[i].shown()));
        points.weights.push_back(*value);
    }
    return points;
}

/// Points that are drawn later: once, or by every trial.
DataPointer yet_to_draw(const Node& node) {
    const auto integer = [&](const char* name, std::int64_t least, std::int64_t most) {
        const Node* value = node.find(name);
        if (value->kind != Node::Kind::Integer || value->integer < least || value->integer > most)
            throw ConfigError({fmt::format("{} is {}; allowed is an integer, {} to {}", name, value->shown(), least, most)});
        return value->integer;
    };
    auto data = std::make_shared<DataSet>();
    data->to_draw = true;
    data->count = integer("draw", 1, most_data_points);
    if (const Node* per = node.find("per")) {
        if (per->kind != Node::Kind::Text || per->text != "trial")
            throw ConfigError({fmt::format("per is {}; allowed is \"trial\": every trial draws its own points", per->shown())});
        if (node.find("seed") != nullptr)
            throw ConfigError({"seed beside per = \"trial\"; points of a trial are drawn with the seed of the campaign; leave it out"});
        data->per_trial = true;
    }
    if (node.find("seed") != nullptr)
        data->draw_seed = static_cast<std::uint64_t>(integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
    return data;
}

/// Of a cell that was described: no points.
DataPointer described(const Node& node) {
    if (node.find("draw") != nullptr) return yet_to_draw(node);
    const auto integer = [&](const char* name, std::int64_t most) {
        const Node* value = node.find(name);
        if (value == nullptr || value->kind != Node::Kind::Integer || value->integer < 1 || value->integer > most)
            throw ConfigError({fmt::format("{} is missing, or not from 1 to {}", name, most)});
        return value->integer;
    };
    const auto real = [&](const char* name) {
        const Node* value = node.find(name);
        const auto number = value == nullptr ? std::nullopt : number_of(*value);
        if (!number) throw ConfigError({fmt::format("{} is missing, or not a number", name)});
        return *number;
    };
    auto data = std::make_shared<DataSet>();
    data->count = integer("count", most_data_points);
    data->dimension = integer("dimension", most_data_dimension);
    data->low = real("low"), data->high = real("high");
    const Node *hash = node.find("hash"), *weighted = node.find("weighted");
    if (hash == nullptr || hash->text.size() != 32 || weighted == nullptr || weighted->kind != Node::Kind::Boolean ||
        data->low > data->high)
        throw ConfigError({"is not as limrisk writes it"});
    data->hash = hash->text;
    data->weighted = weighted->boolean;
    if (const Node* origin = node.find("origin")) data->origin = origin->text;
    // It is printed as it is.
    if (std::any_of(data->origin.begin(), data->origin.end(), [](char c) { return c < 0x20 || c > 0x7E; }))
        throw ConfigError({"origin has characters that limrisk does not write"});
    return data;
}

std::vector<DataColumn> columns_of(const Node& node, const char* name) {
    std::vector<DataColumn> columns;
    const auto add = [&](const Node& item) {
        if (item.kind == Node::Kind::Text)
            columns.push_back({item.text, 0});
        else if (item.kind == Node::Kind::Integer && item.integer >= 1)
            columns.push_back({std::to_string(item.integer), item.integer});
        else
            throw ConfigError({fmt::format("{} is {}; allowed are names of columns, or their numbers from 1 on", name, item.shown())});
    };
    if (node.kind == Node::Kind::Array)
        for (const Node& item : node.items) add(item);
    else
        add(node);
    return columns;
}

/// By what the file begins with, and by its name: an empty one has nothing to begin with.
RawPoints points_of(const std::filesystem::path& path, const DataColumns& columns) {
    const std::string bytes = file_bytes(path, "a CSV, NPY or NPZ file");
    const std::string name = path.string(), kind = path.extension().string();
    if (kind == ".npy" || bytes.starts_with(npy_magic)) return npy_points(name, bytes, columns);
    if (kind == ".npz" || bytes.starts_with(npz_magic)) return npz_points(name, bytes, columns);
    return csv_points(name, bytes, columns);
}

DataPointer from_file(const Node& node) {
    const Node* file = node.find("file");
    if (file->kind != Node::Kind::Text)
        throw ConfigError({fmt::format("file is {}; allowed is the name of a CSV, NPY or NPZ file", file->shown())});
    DataColumns columns;
    if (const Node* inputs = node.find("inputs")) {
        columns.inputs = columns_of(*inputs, "inputs");
        if (columns.inputs.empty()) throw ConfigError({"inputs is an empty list; name at least one column, or leave it out"});
    }
    const Node* output = node.find("output");
    const std::vector<DataColumn> outputs = output == nullptr ? std::vector<DataColumn>{} : columns_of(*output, "output");
    if (outputs.size() != 1) throw ConfigError({"output must be given: the name of one column, or its number from 1 on"});
    columns.output = outputs.front();
    if (const Node* weight = node.find("weight")) {
        const std::vector<DataColumn> names = columns_of(*weight, "weight");
        if (names.size() != 1) throw ConfigError({"weight is a list; allowed is the name of one column"});
        columns.weight = names.front();
    }
    if (const Node* flag = node.find("standardize")) {
        if (flag->kind != Node::Kind::Boolean)
            throw ConfigError({fmt::format("standardize is {}; allowed is true or false", flag->shown())});
        columns.standardize = flag->boolean;
    }
    RawPoints points = points_of(std::filesystem::path(file->text), columns);
    try {
        return finished(std::move(points), columns.standardize);
    } catch (const ConfigError& error) {
        throw ConfigError({fmt::format("{}: {}", file->text, error.problems().front())});
    }
}

}  // namespace

std::string file_bytes(const std::filesystem::path& path, const char* kinds) {
    const auto refuse = [&](const std::string& why) {
        throw ConfigError({fmt::format("{}: {}; give the path of {}", path.string(), why, kinds)});
    };
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found) refuse("does not exist");
    if (error) refuse(error.message());
    if (std::filesystem::is_directory(status)) refuse("is a directory");
    if (!std::filesystem::is_regular_file(status)) refuse("is not a regular file");
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error) refuse(error.message());
    if (size > most_file_bytes) refuse(fmt::format("has {} bytes, at most {} MiB are read", size, most_file_bytes >> 20));
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text(size, '\0');
    file.read(text.data(), static_cast<std::streamsize>(size));
    if (!file) refuse(std::strerror(errno != 0 ? errno : EIO));
    return text;
}

std::string DataSet::label() const {
    if (per_trial) return fmt::format("{} point{} for each trial", count, count == 1 ? "" : "s");
    if (!origin.empty()) return fmt::format("{} point{} of {}", count, count == 1 ? "" : "s", origin);
    return fmt::format("{} {}data point{}{}", count, weighted ? "weighted " : "", count == 1 ? "" : "s",
                       dimension == 1 ? "" : fmt::format(" in dimension {}", dimension));
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
    const std::string key = fmt::format("{} {} {}", rule.count, input.dimension, origin);
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
    auto data = std::make_shared<DataSet>(*finished(std::move(points)));
    data->origin = origin;
    known = data;
    return data;
}

DataPointer read_data(const Node& node, const std::string& key, Problems& problems) {
    const auto refuse = [&](const std::string& what) {
        problems.add(node.place, key, what);
        return nullptr;
    };
    if (node.kind != Node::Kind::Table) return refuse(fmt::format("{}; allowed is {}", node.shown(), forms));
    try {
        if (node.place == description_place) return described(node);
        const bool points = node.find("points") != nullptr, file = node.find("file") != nullptr, draw = node.find("draw") != nullptr;
        if (points + file + draw != 1)
            return refuse(fmt::format("a table with {} of points, file and draw; allowed is {}",
                                      points + file + draw == 0 ? "none" : "several", forms));
        const std::vector<std::string> known = points ? std::vector<std::string>{"points", "weights"}
                                               : file ? std::vector<std::string>{"file", "inputs", "output", "weight", "standardize"}
                                                      : std::vector<std::string>{"draw", "seed", "per"};
        for (const Member& member : node.members)
            if (std::find(known.begin(), known.end(), member.key) == known.end())
                return refuse(fmt::format("unknown key `{}`; with {} the keys are {}", abbreviated(member.key), known.front(),
                                          fmt::join(known, ", ")));
        if (draw) return yet_to_draw(node);
        return points ? finished(points_of(*node.find("points"), node.find("weights"))) : from_file(node);
    } catch (const ConfigError& error) {
        return refuse(error.problems().front());
    }
}

void resolve_data_files(Node& node, const std::filesystem::path& directory) {
    for (Node& item : node.items) resolve_data_files(item, directory);
    if (Node* file = node.kind == Node::Kind::Table ? node.find("file") : nullptr; file != nullptr && file->kind == Node::Kind::Text)
        file->text = (directory / file->text).string();
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
    DataPointer data = finished(std::move(points));
    if (data->text != text) wrong();
    return data;
}

}  // namespace limrisk
