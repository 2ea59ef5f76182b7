// A trajectory as a document of a store (docs/formats.md), and back.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "limrisk/error.hpp"
#include "text/json_number.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk {
namespace {

using nlohmann::ordered_json;

struct Column {
    const char* name;
    std::vector<double> TrajectorySeries::*member;
};
constexpr Column columns[] = {{"mean", &TrajectorySeries::mean},
                              {"quantile_05", &TrajectorySeries::quantile_05},
                              {"quantile_25", &TrajectorySeries::quantile_25},
                              {"median", &TrajectorySeries::median},
                              {"quantile_75", &TrajectorySeries::quantile_75},
                              {"quantile_95", &TrajectorySeries::quantile_95}};

constexpr double infinity = std::numeric_limits<double>::infinity();

ordered_json numbers(const std::vector<double>& values) {
    ordered_json array = ordered_json::array();
    for (const double value : values) array.push_back(json_number(value));
    return array;
}

std::vector<double> numbers(const ordered_json& array) {
    std::vector<double> values;
    for (const ordered_json& value : array) values.push_back(value == "Infinity" ? infinity : value.get<double>());
    return values;
}

[[noreturn]] void refuse(const std::string& why) {
    throw StoreError(ExitCode::Data, fmt::format("a stored trajectory cannot be read: {}", why));
}

void require_sound(const CellTrajectory& trajectory) {
    if (trajectory.trials < 1) refuse(fmt::format("it is of {} trials", trajectory.trials));
    std::int64_t before = -1;
    for (const std::int64_t step : trajectory.steps) {
        if (step <= before) refuse(fmt::format("step {} comes after step {}", step, before));
        before = step;
    }
    const std::vector<std::int64_t>& trained = trajectory.trained;
    const auto impossible = [&](std::int64_t trials) { return trials < 1 || trials > trajectory.trials; };
    if (!trained.empty() && (trained.size() != trajectory.steps.size() || std::any_of(trained.begin(), trained.end(), impossible)))
        refuse(
            fmt::format("the numbers of trials at its steps are not {} numbers from 1 to {}", trajectory.steps.size(), trajectory.trials));
    if (!std::is_sorted(trained.rbegin(), trained.rend())) refuse("more trials are trained at a step than at one before it");
    for (const TrajectorySeries& series : trajectory.series)
        for (const Column& column : columns)
            if ((series.*column.member).size() != trajectory.steps.size())
                refuse(fmt::format("{} of {} has {} values, there are {} steps", column.name, series.name, (series.*column.member).size(),
                                   trajectory.steps.size()));
}

}  // namespace

std::string trajectory_to_json(const CellTrajectory& trajectory) {
    ordered_json series = ordered_json::array(), checks = ordered_json::array();
    for (const TrajectorySeries& one : trajectory.series) {
        ordered_json entry{{"name", one.name}};
        for (const Column& column : columns) entry[column.name] = numbers(one.*column.member);
        series.push_back(std::move(entry));
    }
    for (const TrajectoryCheck& check : trajectory.checks)
        checks.push_back(
            {{"name", check.name}, {"points", check.points}, {"largest_error", check.largest_error}, {"tolerance", check.tolerance}});
    ordered_json document{{"cell_id", trajectory.cell_id}, {"trials", trajectory.trials}, {"steps", trajectory.steps}};
    if (!trajectory.trained.empty()) {
        document["trained"] = trajectory.trained;
        document["last_step"] = trajectory.last_step;
    }
    document["series"] = std::move(series);
    document["checks"] = std::move(checks);
    document["converged"] = trajectory.converged;
    document["least_squares_gaps"] = numbers(trajectory.least_squares_gaps);
    return document.dump();
}

CellTrajectory trajectory_from_json(const std::string& text) {
    CellTrajectory trajectory;
    try {
        const ordered_json json = ordered_json::parse(text);
        trajectory.cell_id = json.at("cell_id").get<std::string>();
        trajectory.trials = json.at("trials").get<std::int64_t>();
        trajectory.steps = json.at("steps").get<std::vector<std::int64_t>>();
        if (json.contains("trained")) {
            trajectory.trained = json.at("trained").get<std::vector<std::int64_t>>();
            trajectory.last_step = json.at("last_step").get<std::int64_t>();
        }
        for (const ordered_json& entry : json.at("series")) {
            TrajectorySeries& series = trajectory.series.emplace_back();
            series.name = entry.at("name").get<std::string>();
            for (const Column& column : columns) series.*column.member = numbers(entry.at(column.name));
        }
        for (const ordered_json& entry : json.at("checks"))
            trajectory.checks.push_back({entry.at("name").get<std::string>(), entry.at("points").get<std::int64_t>(),
                                         entry.at("largest_error").get<double>(), entry.at("tolerance").get<double>()});
        trajectory.converged = json.at("converged").get<std::int64_t>();
        trajectory.least_squares_gaps = numbers(json.at("least_squares_gaps"));
    } catch (const nlohmann::json::exception& error) {
        refuse(error.what());
    }
    require_sound(trajectory);
    return trajectory;
}

}  // namespace limrisk
