// What is stored of one trial, and the one table of its fields that store, export and summary read.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace limrisk {

enum class Verdict : std::int32_t { Budget = 0, Converged = 1, Oscillating = 2, Diverged = 3 };

constexpr const char* verdict_name(Verdict verdict) {
    constexpr const char* names[] = {"budget", "converged", "oscillating", "diverged"};
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
    double parameter_norm = 0;
    double displacement = 0;
    std::int64_t best_step = 0;
    std::int64_t nonfinite_step = 0;
    std::uint64_t fingerprint = 0;
    std::int32_t inactive_initial = 0;
    std::int32_t inactive_final = 0;
    std::int32_t inactive_maximum = 0;
    std::int32_t died = 0;
    std::int32_t revived = 0;
    std::int32_t inactive_on_data = 0;
    std::int32_t constant = 0;
    std::int32_t linear = 0;
    std::int32_t kinked = 0;
    Verdict verdict = Verdict::Budget;

    bool operator==(const TrialRecord&) const = default;
};

/// One check of one trial: a point of its trajectory. Risk and norms are +infinity where they are not finite.
struct CheckRecord {
    std::int64_t step;
    double risk, gradient_norm, parameter_norm;
    std::int32_t inactive, constant, linear, kinked, inactive_on_data;

    bool operator==(const CheckRecord&) const = default;
};

enum class FieldType { Float64, Int64, UInt64, Int32 };

/// One field of TrialRecord: name of the column, type, place, meaning.
struct TrialField {
    const char* name;
    FieldType type;
    std::size_t offset;
    const char* meaning;
};

/// All fields, in the order of the columns of a block and of an export.
inline constexpr std::array<TrialField, 22> trial_fields{{
    {"verdict", FieldType::Int32, offsetof(TrialRecord, verdict), "0 budget, 1 converged, 2 oscillating, 3 diverged"},
    {"initial_risk", FieldType::Float64, offsetof(TrialRecord, initial_risk), "true risk at step 0, evaluation rule"},
    {"final_risk", FieldType::Float64, offsetof(TrialRecord, final_risk), "true risk of the last iterate, accurate rule"},
    {"best_risk", FieldType::Float64, offsetof(TrialRecord, best_risk), "true risk of the best checked iterate, accurate rule"},
    {"best_step", FieldType::Int64, offsetof(TrialRecord, best_step), "step of that iterate"},
    {"tail_minimum", FieldType::Float64, offsetof(TrialRecord, tail_minimum), "smallest true risk over the tail checks (limiting risk)"},
    {"tail_mean", FieldType::Float64, offsetof(TrialRecord, tail_mean), "mean true risk over the tail checks"},
    {"tail_maximum", FieldType::Float64, offsetof(TrialRecord, tail_maximum), "largest true risk over the tail checks"},
    {"gradient_norm", FieldType::Float64, offsetof(TrialRecord, gradient_norm), "norm of the gradient of the true risk at the last check"},
    {"parameter_norm", FieldType::Float64, offsetof(TrialRecord, parameter_norm), "Euclidean norm of the final parameters"},
    {"displacement", FieldType::Float64, offsetof(TrialRecord, displacement), "distance moved from the first tail check to the last"},
    {"nonfinite_step", FieldType::Int64, offsetof(TrialRecord, nonfinite_step), "step of divergence, 0 if none (or before the first step)"},
    {"inactive_initial", FieldType::Int32, offsetof(TrialRecord, inactive_initial), "neurons certified inactive at initialization"},
    {"inactive_final", FieldType::Int32, offsetof(TrialRecord, inactive_final), "neurons inactive on the box at the end"},
    {"inactive_maximum", FieldType::Int32, offsetof(TrialRecord, inactive_maximum), "most neurons inactive at any check"},
    {"died", FieldType::Int32, offsetof(TrialRecord, died), "transitions into inactivity between checks"},
    {"revived", FieldType::Int32, offsetof(TrialRecord, revived), "transitions out of inactivity between checks"},
    {"inactive_on_data", FieldType::Int32, offsetof(TrialRecord, inactive_on_data),
     "neurons inactive on the data but not on the box, at the end"},
    {"constant", FieldType::Int32, offsetof(TrialRecord, constant), "neurons constant and not zero on the box, at the end"},
    {"linear", FieldType::Int32, offsetof(TrialRecord, linear), "neurons without a kink in the box, at the end"},
    {"kinked", FieldType::Int32, offsetof(TrialRecord, kinked), "neurons with a kink in the box, at the end"},
    {"fingerprint", FieldType::UInt64, offsetof(TrialRecord, fingerprint), "hash of the final parameters and optimizer state"},
}};

}  // namespace limrisk
