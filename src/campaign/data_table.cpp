// The value of problem.data to points: lists, and columns of files. Sizes are checked before anything of their size is allocated.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <utility>

#include "campaign/data_treatment.hpp"
#include "campaign/document.hpp"
#include "campaign/problems.hpp"
#include "campaign/target_text.hpp"
#include "expression/expression.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr const char* forms =
    "{ points = [[x, y], ...] } with x1, ..., xd, y per point, { file = \"points.csv\", inputs = [\"x\"], output = \"y\" }, "
    "{ draw = 1024, seed = 7 }, or { draw = 6, per = \"trial\" }";
constexpr const char* validation_forms =
    "{ points = [[x, y], ...] } with x1, ..., xd, y per point, or { file = \"points.csv\", inputs = [\"x\"], output = \"y\" }";

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
            wrong(fmt::format(
                "point {} {}; a point is a list of 2 to {} numbers x1, ..., xd, y", i + 1,
                point.kind == Node::Kind::Array ? fmt::format("has {} number{}", size, size == 1 ? "" : "s") : "is " + point.shown(),
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

/// Throws ConfigError for what is no integer from `least` to `most`.
std::int64_t integer_of(const Node& node, const char* name, std::int64_t least, std::int64_t most) {
    const Node* value = node.find(name);
    if (value->kind != Node::Kind::Integer || value->integer < least || value->integer > most)
        throw ConfigError({fmt::format("{} is {}; allowed is an integer, {} to {}", name, value->shown(), least, most)});
    return value->integer;
}

std::uint64_t seed_of(const Node& node) {
    return static_cast<std::uint64_t>(integer_of(node, "seed", 0, std::numeric_limits<std::int64_t>::max()));
}

/// The share of the points that is held out, if there is one.
std::optional<double> holdout_of(const Node& node) {
    const Node* holdout = node.find("holdout");
    if (holdout == nullptr) return std::nullopt;
    const auto share = number_of(*holdout);
    if (!share || !(*share > 0 && *share < 1))
        throw ConfigError(
            {fmt::format("holdout is {}; allowed is a share of the points, greater than 0 and less than 1", holdout->shown())});
    return share;
}

/// Whether every trial has points of its own. Throws ConfigError for another `per`.
bool is_per_trial(const Node& node) {
    const Node* per = node.find("per");
    if (per == nullptr) return false;
    if (per->kind != Node::Kind::Text || per->text != "trial")
        throw ConfigError({fmt::format("per is {}; allowed is \"trial\": every trial draws its own points", per->shown())});
    return true;
}

/// How many points a trial draws of those that are given: a number or an expression; empty: `resample` is not there.
std::string resample_of(const Node& node) {
    const Node* resample = node.find("resample");
    if (resample == nullptr) return "";
    const auto wrong = [&](const std::string& why) {
        throw ConfigError({fmt::format("resample is {}{}; allowed is an integer, 1 to {}, or an expression in h and d, such as \"h^2\"",
                                       resample->shown(), why, most_resampled)});
    };
    if (resample->kind == Node::Kind::Integer) {
        if (resample->integer < 1 || resample->integer > most_resampled) wrong("");
        return std::to_string(resample->integer);
    }
    if (resample->kind != Node::Kind::Text) wrong("");
    try {
        (void)Expression::compile(resample->text, group_variables());
        return canonical_target(resample->text);
    } catch (const ExpressionFailure& failure) {
        wrong(": " + failure.error.message);
    }
    return "";
}

/// Points that are drawn later: once, or by every trial.
DataPointer yet_to_draw(const Node& node) {
    auto data = std::make_shared<DataSet>();
    data->to_draw = true;
    data->count = integer_of(node, "draw", 1, most_data_points);
    if (is_per_trial(node)) {
        if (node.find("seed") != nullptr)
            throw ConfigError({"seed beside per = \"trial\"; points of a trial are drawn with the seed of the campaign; leave it out"});
        data->per_trial = true;
    }
    if (node.find("seed") != nullptr) data->draw_seed = seed_of(node);
    if (const auto share = holdout_of(node)) {
        if (data->per_trial)
            throw ConfigError(
                {"holdout beside per = \"trial\"; every trial has points of its own: leave it out, or draw once for all trials"});
        (void)held_out_count(*share, data->count);
        data->holdout = *share;
    }
    return data;
}

/// What a description says of points, all but where they come from.
std::shared_ptr<DataSet> described_points(const Node& node) {
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
    return data;
}

/// Of a cell that was described: no points.
DataPointer described(const Node& node) {
    if (node.find("draw") != nullptr) return yet_to_draw(node);
    std::shared_ptr<DataSet> data = described_points(node);
    if (const Node* validation = node.find("validation")) {
        data->validation = described_points(*validation);
        if (data->validation->dimension != data->dimension) throw ConfigError({"validation has another dimension"});
    }
    data->resample = resample_of(node);
    data->per_trial = !data->resample.empty();
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

/// The columns that a table names; those that it does not name are the ones of `usual`, of another file with the same columns.
DataColumns columns_of(const Node& node, const DataColumns* usual = nullptr) {
    DataColumns columns;
    if (usual != nullptr) columns = *usual;
    if (const Node* inputs = node.find("inputs")) {
        columns.inputs = columns_of(*inputs, "inputs");
        if (columns.inputs.empty()) throw ConfigError({"inputs is an empty list; name at least one column, or leave it out"});
    }
    const auto one = [](const Node* value, const char* name) {
        const std::vector<DataColumn> all = value == nullptr ? std::vector<DataColumn>{} : columns_of(*value, name);
        return all.size() == 1 ? std::optional(all.front()) : std::nullopt;
    };
    if (const Node* output = node.find("output"); output != nullptr || usual == nullptr) {
        const auto column = one(output, "output");
        if (!column) throw ConfigError({"output must be given: the name of one column, or its number from 1 on"});
        columns.output = *column;
    }
    if (const Node* weight = node.find("weight")) {
        columns.weight = one(weight, "weight");
        if (!columns.weight) throw ConfigError({"weight is a list; allowed is the name of one column"});
    }
    if (const Node* flag = node.find("standardize")) {
        if (flag->kind != Node::Kind::Boolean)
            throw ConfigError({fmt::format("standardize is {}; allowed is true or false", flag->shown())});
        columns.standardize = flag->boolean;
    }
    return columns;
}

const std::string& file_of(const Node& node) {
    const Node* file = node.find("file");
    if (file->kind != Node::Kind::Text)
        throw ConfigError({fmt::format("file is {}; allowed is the name of a CSV, NPY or NPZ file", file->shown())});
    return file->text;
}

/// Calls read(); what is wrong begins with `where`.
template <class Read>
auto reading(const std::string& where, Read read) {
    try {
        return read();
    } catch (const ConfigError& error) {
        throw ConfigError({fmt::format("{}: {}", where, error.problems().front())});
    }
}

/// Whether a table has one of the keys `forms`, which one, and else only keys that belong to it. Throws ConfigError.
std::string_view form_of(const Node& node, const std::vector<std::vector<std::string>>& all, const char* texts) {
    const std::vector<std::string>* found = nullptr;
    std::size_t count = 0;
    std::vector<std::string> names;
    for (const std::vector<std::string>& form : all) {
        names.push_back(form.front());
        if (node.find(form.front()) == nullptr) continue;
        found = &form;
        ++count;
    }
    if (count != 1) {
        const std::string last = names.back();
        names.pop_back();
        throw ConfigError({fmt::format("a table with {} of {} and {}; allowed is {}", count == 0 ? "none" : "several",
                                       fmt::join(names, ", "), last, texts)});
    }
    for (const Member& member : node.members)
        if (std::find(found->begin(), found->end(), member.key) == found->end())
            throw ConfigError({fmt::format("unknown key `{}`; with {} the keys are {}", abbreviated(member.key), found->front(),
                                           fmt::join(*found, ", "))});
    return found->front();
}

/// Points of the table `validation`, of the dimension of the data.
///   columns  those of the file that is trained on; null: it is none
RawPoints validation_of(const Node& node, const DataColumns* columns, std::int64_t dimension) {
    if (node.kind != Node::Kind::Table) throw ConfigError({fmt::format("{}; allowed is {}", node.shown(), validation_forms)});
    RawPoints points;
    if (form_of(node, {{"points", "weights"}, {"file", "inputs", "output", "weight"}}, validation_forms) == "points") {
        points = points_of(*node.find("points"), node.find("weights"));
        drop_weightless(points);
    } else {
        if (node.find("inputs") == nullptr && (columns == nullptr || columns->inputs.empty()))
            throw ConfigError({"inputs must be named where a second file is for validation: its columns could be in another order"});
        const DataColumns chosen = columns_of(node, columns);
        const auto refuse_number = [&](const char* key, const DataColumn& column) {
            if (node.find(key) == nullptr && column.number > 0)
                throw ConfigError(
                    {fmt::format("{} of the data is column number {}, and the columns of a second file could be in another "
                                 "order: give {} in validation, too, or names instead of numbers",
                                 key, column.number, key)});
        };
        for (const DataColumn& column : chosen.inputs) refuse_number("inputs", column);
        refuse_number("output", chosen.output);
        if (chosen.weight) refuse_number("weight", *chosen.weight);
        const std::string& file = file_of(node);
        points = points_of(std::filesystem::path(file), chosen);
        reading(file, [&] { drop_weightless(points); });
    }
    if (points.dimension != dimension)
        throw ConfigError({fmt::format("its points have {} input{}, those of the data have {}", points.dimension,
                                       points.dimension == 1 ? "" : "s", dimension)});
    return points;
}

/// Points of a list or of a file.
DataPointer given(const Node& node) {
    const bool is_file = node.find("file") != nullptr;
    DataColumns columns;
    if (is_file) columns = columns_of(node);
    DataTreatment treatment;
    treatment.standardize = columns.standardize;
    const auto share = holdout_of(node);
    const Node* validation = node.find("validation");
    if (share && validation != nullptr)
        throw ConfigError({"holdout beside validation; points for validation are held out of the data, or given: leave one of them out"});
    if (share) treatment.holdout = *share;
    const std::string resample = resample_of(node);
    if (is_per_trial(node) == resample.empty())
        throw ConfigError({resample.empty() ? "per = \"trial\" without resample; resample = 6 says how many of the points a trial draws"
                                            : "resample without per = \"trial\"; every trial draws its own of the points: add it"});
    if (!resample.empty() && (share || validation != nullptr))
        throw ConfigError({"holdout or validation beside resample; every trial has points of its own: leave it out"});
    if (node.find("seed") != nullptr && !share)
        throw ConfigError({"seed without holdout; it says which points are held out: leave it out"});
    if (node.find("seed") != nullptr) treatment.seed = seed_of(node);
    RawPoints points =
        is_file ? points_of(std::filesystem::path(file_of(node)), columns) : points_of(*node.find("points"), node.find("weights"));
    if (validation != nullptr)
        treatment.validation =
            reading("validation", [&] { return validation_of(*validation, is_file ? &columns : nullptr, points.dimension); });
    const auto finish = [&] {
        const std::shared_ptr<DataSet> data = finished_data(std::move(points), std::move(treatment));
        data->resample = resample;
        data->per_trial = !resample.empty();
        return data;
    };
    return is_file ? reading(file_of(node), finish) : finish();
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

DataPointer read_data(const Node& node, const std::string& key, Problems& problems) {
    const auto refuse = [&](const std::string& what) {
        problems.add(node.place, key, what);
        return nullptr;
    };
    if (node.kind != Node::Kind::Table) return refuse(fmt::format("{}; allowed is {}", node.shown(), forms));
    try {
        if (node.place == description_place) return described(node);
        const std::string_view form =
            form_of(node,
                    {{"points", "weights", "holdout", "seed", "validation", "resample", "per"},
                     {"file", "inputs", "output", "weight", "standardize", "holdout", "seed", "validation", "resample", "per"},
                     {"draw", "seed", "per", "holdout"}},
                    forms);
        return form == "draw" ? yet_to_draw(node) : given(node);
    } catch (const ConfigError& error) {
        return refuse(error.problems().front());
    }
}

void resolve_data_files(Node& node, const std::filesystem::path& directory) {
    for (Node& item : node.items) resolve_data_files(item, directory);
    if (Node* validation = node.kind == Node::Kind::Table ? node.find("validation") : nullptr) resolve_data_files(*validation, directory);
    if (Node* file = node.kind == Node::Kind::Table ? node.find("file") : nullptr; file != nullptr && file->kind == Node::Kind::Text)
        file->text = (directory / file->text).string();
}

}  // namespace limrisk
