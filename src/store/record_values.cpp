// What a field may hold follows from its type: reals are risks and norms, 64-bit integers steps, 32-bit ones numbers of neurons. Only the
// verdict and the transitions (sum_fields) are other.
#include "store/record_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/check_steps.hpp"
#include "limrisk/trial_fields.hpp"

namespace limrisk {
namespace {

std::int64_t last_verdict(const RecordLimits& limits) {
    return static_cast<std::int64_t>(limits.stops ? Verdict::Stopped : Verdict::Diverged);
}

template <class Value>
Value value_of(const TrialRecord& record, const TrialField& field) {
    Value value;
    std::memcpy(&value, reinterpret_cast<const char*>(&record) + field.offset, sizeof value);
    return value;
}

/// Largest value of an integer field.
std::int64_t most(const TrialField& field, const RecordLimits& limits) {
    if (field.type == FieldType::Int64) return limits.steps;
    if (field.offset == offsetof(TrialRecord, verdict)) return last_verdict(limits);
    const bool transitions = std::any_of(sum_fields.begin(), sum_fields.end(), [&](const auto& sum) { return sum.offset == field.offset; });
    return transitions ? limits.width * limits.checks : limits.width;
}

std::string integer_problem(const char* name, std::int64_t value, std::int64_t most) {
    return value >= 0 && value <= most ? "" : fmt::format("{} is {}, which is impossible: allowed are 0 to {}", name, value, most);
}

std::string real_problem(const char* name, double value) {
    return value >= 0 ? "" : fmt::format("{} is {}, which is impossible: it must not be negative", name, value);
}

/// Number of the check at `step`, -1 if there is none.
std::int64_t check_at(std::int64_t step, const RecordLimits& limits) {
    std::int64_t low = 0, high = limits.checks;  // the steps of checks ascend
    while (low < high) {
        const std::int64_t middle = (low + high) / 2;
        if (kernels::check_step(limits, middle) < step)
            low = middle + 1;
        else
            high = middle;
    }
    return kernels::check_step(limits, low) == step ? low : -1;
}

/// Whether a trial that has not diverged may end with `check` as converged.
bool ends_window(std::int64_t check, const RecordLimits& limits) {
    return check == limits.checks || (limits.stop_converged && check >= limits.tail && (limits.checks - check) % limits.tail == 0);
}

/// Steps that contradict the verdict, or each other.
std::string step_problem(const TrialRecord& record, const RecordLimits& limits) {
    const auto problem = [&](const char* name, std::int64_t step, const std::string& right) {
        return fmt::format("{} is {}, which is impossible with the verdict {}: right would be {}", name, step, verdict_name(record.verdict),
                           right);
    };
    if (record.verdict != Verdict::Diverged && record.nonfinite_step != 0) return problem("nonfinite_step", record.nonfinite_step, "0");
    const std::int64_t last = record.last_step;
    switch (record.verdict) {
        case Verdict::Diverged:
            if (last != record.nonfinite_step) return problem("last_step", last, fmt::format("nonfinite_step, {}", record.nonfinite_step));
            break;
        case Verdict::Stopped:
            if (const std::int64_t check = check_at(last, limits); check < 0 || check == limits.checks)
                return problem("last_step", last, "the step of a check before the last");
            break;
        case Verdict::Converged:
            if (!ends_window(check_at(last, limits), limits))
                return problem("last_step", last,
                               limits.stop_converged ? "the step of the last check of a window" : fmt::format("{}", limits.steps));
            break;
        case Verdict::Budget:
        case Verdict::Oscillating:
            if (last != limits.steps) return problem("last_step", last, fmt::format("{}", limits.steps));
    }
    if (record.best_step > last) return problem("best_step", record.best_step, fmt::format("a step up to last_step, {}", last));
    return "";
}

/// Whether trials have a field that can lack.
bool has(const RecordLimits& limits, const TrialField& field) {
    if (std::ranges::any_of(kink_fields, [&](const TrialField& of_kinks) { return of_kinks.offset == field.offset; })) return limits.kinks;
    return limits.validates && (limits.averages || field.offset != average_validation_field.offset);
}

std::string start_problem(std::int64_t inactive, const RecordLimits& limits) {
    if (limits.inactive_start < 0 || inactive == limits.inactive_start) return "";
    return fmt::format("inactive_initial is {}, but on the condition of the cell it is {}", inactive, limits.inactive_start);
}

}  // namespace

RecordLimits record_limits(const CellConfig& cell) {
    return {cell.width,          cell.steps,          cell.checks,           cell.tail,          cell.stop.stops(),
            cell.stop.converged, cell.inactive_start, cell.has_validation(), cell.has_average(), cell.kinks};
}

std::string record_problem(const TrialRecord& record, const RecordLimits& limits) {
    for (const TrialField& field : all_trial_fields) {
        std::string problem;
        switch (field.type) {
            case FieldType::Float64:
                // Blocks of before validation risks of averages lack them.
                if (field.offset == average_validation_field.offset && value_of<double>(record, field) == -1) break;
                if (field.can_lack && !has(limits, field))
                    problem = value_of<double>(record, field) == -1 ? "" : fmt::format("{} is there, in a cell without it", field.name);
                else
                    problem = real_problem(field.name, value_of<double>(record, field));
                break;
            case FieldType::Int64:
                problem = integer_problem(field.name, value_of<std::int64_t>(record, field), most(field, limits));
                break;
            case FieldType::Int32:
                if (field.can_lack && !has(limits, field) && value_of<std::int32_t>(record, field) == -1) break;
                if (field.can_lack && !has(limits, field))
                    problem = fmt::format("{} is there, in a cell without it", field.name);
                else
                    problem = integer_problem(field.name, value_of<std::int32_t>(record, field), most(field, limits));
                break;
            case FieldType::UInt64:
                break;
        }
        if (!problem.empty()) return problem;
    }
    std::string problem = integer_problem("the number of frozen neurons", frozen_initial(record), limits.width);
    if (problem.empty()) problem = start_problem(record.inactive_initial, limits);
    return problem.empty() ? step_problem(record, limits) : problem;
}

std::string aggregate_value_problem(const Aggregate& aggregate, const RecordLimits& limits) {
    for (const auto& field : count_fields) {
        const std::int64_t most = field.member == &Aggregate::verdict ? last_verdict(limits) : limits.width;
        for (const std::int32_t key : (aggregate.*field.member).keys)
            if (std::string problem = integer_problem(field.name, key, most); !problem.empty()) return problem;
    }
    for (const std::int32_t key : aggregate.inactive_initial.keys)
        if (std::string problem = start_problem(key, limits); !problem.empty()) return problem;
    for (const auto& field : sum_fields) {
        const std::int64_t sum = aggregate.*field.member;
        const double most = static_cast<double>(limits.width * limits.checks) * static_cast<double>(aggregate.trials);
        if (sum < 0 || static_cast<double>(sum) > most) return fmt::format("{} is {}, which is impossible", field.name, sum);
    }
    for (const auto& field : risk_fields)
        for (const Extreme& extreme : {(aggregate.*field.member).minimum, (aggregate.*field.member).maximum})
            if (std::string problem = real_problem(field.name, extreme.risk); !problem.empty()) return problem;
    return "";
}

}  // namespace limrisk
