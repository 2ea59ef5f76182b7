// What is stored of one trial. Plain types: the GPU writes them too.
#pragma once
#include <cstdint>

namespace limrisk {

enum class Verdict : std::int32_t { Budget = 0, Converged = 1, Oscillating = 2, Diverged = 3, Stopped = 4 };

constexpr const char* verdict_name(Verdict verdict) {
    constexpr const char* names[] = {"budget", "converged", "oscillating", "diverged", "stopped"};
    return names[static_cast<int>(verdict)];
}

/// Result of one trial. No field is ever NaN; risks of a diverged trial are +infinity. Meaning: docs/numerics.md section 10.
struct TrialRecord {
    double initial_risk = 0;
    double final_risk = 0;
    double best_risk = 0;
    double tail_minimum = 0;
    double tail_mean = 0;
    double tail_maximum = 0;
    double gradient_norm = 0;
    double training_gradient_norm = 0;
    double parameter_norm = 0;
    double displacement = 0;
    std::int64_t best_step = 0;
    std::int64_t nonfinite_step = 0;
    std::int64_t last_step = 0;
    std::uint64_t fingerprint = 0;
    std::int32_t inactive_initial = 0;
    std::int32_t constant_initial = 0;
    std::int32_t inactive_final = 0;
    std::int32_t inactive_maximum = 0;
    std::int32_t died = 0;
    std::int32_t revived = 0;
    std::int32_t inactive_on_data = 0;
    std::int32_t constant = 0;
    std::int32_t linear = 0;
    std::int32_t kinked = 0;
    Verdict verdict = Verdict::Budget;
    // Of the average of the iterates; of the iterate itself where the cell has no average.
    std::int32_t average_inactive = 0;
    std::int32_t average_constant = 0;
    std::int32_t average_linear = 0;
    std::int32_t average_kinked = 0;
    std::int32_t average_inactive_on_data = 0;
    double average_risk = 0;
    // On the points that are held out; -1 where the cell has none.
    double validation_risk = -1;
    double best_validation_risk = -1;
    double average_validation_risk = -1;  ///< likewise; -1 where the cell has no average either
    // Of the kinks of neurons, in dimension 1; -1 where the cell does not follow them.
    double kink_displacement = -1;
    std::int32_t kinks_crossed = -1;

    bool operator==(const TrialRecord&) const = default;
};

/// The limiting risk of a trial: the mean of the true risk over the tail. It does not depend on how often the tail is looked at, as its
/// minimum does. What it estimates: docs/theory.md section 8.
constexpr double limiting_risk(const TrialRecord& record) { return record.tail_mean; }

/// The last step of a trial of a cell of so many steps without an early end.
constexpr std::int64_t last_step_without_stop(const TrialRecord& record, std::int64_t steps) {
    return record.verdict == Verdict::Diverged ? record.nonfinite_step : steps;
}

/// Makes the average of a record the iterate: what it is where the cell has no average.
constexpr void take_iterate_as_average(TrialRecord& record) {
    record.average_risk = record.final_risk;
    record.average_inactive = record.inactive_final;
    record.average_constant = record.constant;
    record.average_linear = record.linear;
    record.average_kinked = record.kinked;
    record.average_inactive_on_data = record.inactive_on_data;
}

/// Neurons that never move in a cell that keeps_frozen_neurons(): docs/theory.md sections 3 and 5.
constexpr std::int64_t frozen_initial(const TrialRecord& record) { return std::int64_t{record.inactive_initial} + record.constant_initial; }

/// One check of one trial: a point of its trajectory. Risk and norms are +infinity where they are not finite.
struct CheckRecord {
    std::int64_t step;
    double risk, gradient_norm, parameter_norm;
    std::int32_t inactive, constant, linear, kinked, inactive_on_data;

    bool operator==(const CheckRecord&) const = default;
};

}  // namespace limrisk
