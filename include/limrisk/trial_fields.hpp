// The tables of the fields of a trial record, which store, export and summary read.
#pragma once
#include <array>
#include <cstddef>

#include "limrisk/trial_record.hpp"

namespace limrisk {

enum class FieldType { Float64, Int64, UInt64, Int32 };

/// One field of TrialRecord: name of the column, type, place, meaning.
struct TrialField {
    const char* name;
    FieldType type;
    std::size_t offset;
    const char* meaning;
    const char* if_ended_early = nullptr;  ///< what it is of a trial that `stop` ended, where that is not the same of its own last check
    bool can_lack = false;                 ///< -1 where the cell does not have it: exports leave it out there
};

inline constexpr const char* tail_if_ended_early =
    "of a trial that `stop` ended, its last check alone (verdict stopped) or the window of checks that ended it (converged)";

/// The fields of trials that end at their last check, in the order of the columns of a block and of an export.
inline constexpr std::array<TrialField, 24> trial_fields{{
    {"verdict", FieldType::Int32, offsetof(TrialRecord, verdict), "0 budget, 1 converged, 2 oscillating, 3 diverged, 4 stopped"},
    {"initial_risk", FieldType::Float64, offsetof(TrialRecord, initial_risk), "true risk at step 0, evaluation rule"},
    {"final_risk", FieldType::Float64, offsetof(TrialRecord, final_risk), "true risk of the last iterate, accurate rule"},
    {"best_risk", FieldType::Float64, offsetof(TrialRecord, best_risk), "true risk of the best checked iterate, accurate rule"},
    {"best_step", FieldType::Int64, offsetof(TrialRecord, best_step), "step of that iterate"},
    {"tail_minimum", FieldType::Float64, offsetof(TrialRecord, tail_minimum), "smallest true risk over the tail checks",
     tail_if_ended_early},
    {"tail_mean", FieldType::Float64, offsetof(TrialRecord, tail_mean), "mean true risk over the tail checks: the limiting risk",
     tail_if_ended_early},
    {"tail_maximum", FieldType::Float64, offsetof(TrialRecord, tail_maximum), "largest true risk over the tail checks",
     tail_if_ended_early},
    {"gradient_norm", FieldType::Float64, offsetof(TrialRecord, gradient_norm), "norm of the gradient of the true risk at the last check"},
    {"training_gradient_norm", FieldType::Float64, offsetof(TrialRecord, training_gradient_norm),
     "the same of the risk that is trained on: of the midpoint nodes, if there are such"},
    {"parameter_norm", FieldType::Float64, offsetof(TrialRecord, parameter_norm), "Euclidean norm of the final parameters"},
    {"displacement", FieldType::Float64, offsetof(TrialRecord, displacement),
     "largest distance of a tail check's parameters from the first's",
     "of a trial that `stop` ended, 0 (verdict stopped) or over the window of checks that ended it (converged)"},
    {"nonfinite_step", FieldType::Int64, offsetof(TrialRecord, nonfinite_step), "step of divergence, 0 if none (or before the first step)"},
    {"inactive_initial", FieldType::Int32, offsetof(TrialRecord, inactive_initial), "neurons inactive on the whole box at initialization"},
    {"constant_initial", FieldType::Int32, offsetof(TrialRecord, constant_initial),
     "neurons constant, not zero and frozen at initialization"},
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

/// What a store has besides if trials of one of its cells may end early; else it follows from the others, last_step_without_stop().
inline constexpr TrialField last_step_field{"last_step", FieldType::Int64, offsetof(TrialRecord, last_step),
                                            "step at which the trial ended: of its last check, or of its divergence"};

/// What a store has besides, and last_step, if one of its cells has an average; of the cells without one these are the iterate's.
inline constexpr std::array<TrialField, 6> average_fields{{
    {"average_risk", FieldType::Float64, offsetof(TrialRecord, average_risk), "true risk of the average of the iterates, accurate rule"},
    {"average_inactive", FieldType::Int32, offsetof(TrialRecord, average_inactive), "neurons of the average inactive on the box"},
    {"average_constant", FieldType::Int32, offsetof(TrialRecord, average_constant),
     "neurons of the average constant and not zero on the box"},
    {"average_linear", FieldType::Int32, offsetof(TrialRecord, average_linear), "neurons of the average without a kink in the box"},
    {"average_kinked", FieldType::Int32, offsetof(TrialRecord, average_kinked), "neurons of the average with a kink in the box"},
    {"average_inactive_on_data", FieldType::Int32, offsetof(TrialRecord, average_inactive_on_data),
     "neurons of the average inactive on the data but not on the box"},
}};

/// What a store has besides, and last_step and average_fields, if one of its cells has points that are held out.
inline constexpr std::array<TrialField, 2> validation_fields{{
    {"validation_risk", FieldType::Float64, offsetof(TrialRecord, validation_risk),
     "validation risk of the last iterate: on the points that are held out", nullptr, true},
    {"best_validation_risk", FieldType::Float64, offsetof(TrialRecord, best_validation_risk),
     "validation risk of the iterate of best_step, the best one on the training points", nullptr, true},
}};

/// What a store has besides all of these if one of its cells has both, an average and points that are held out.
inline constexpr TrialField average_validation_field{"average_validation_risk",
                                                     FieldType::Float64,
                                                     offsetof(TrialRecord, average_validation_risk),
                                                     "validation risk of the average of the iterates",
                                                     nullptr,
                                                     true};

/// What a store has besides if one of its cells follows kinks.
inline constexpr std::array<TrialField, 2> kink_fields{{
    {"kinks_crossed", FieldType::Int32, offsetof(TrialRecord, kinks_crossed),
     "neurons whose kink was on another side of a training point than at the start, at some check", nullptr, true},
    {"kink_displacement", FieldType::Float64, offsetof(TrialRecord, kink_displacement),
     "largest distance of a kink at a check from its place at the start", nullptr, true},
}};

inline constexpr std::size_t all_trial_field_count =
    trial_fields.size() + 1 + average_fields.size() + validation_fields.size() + 1 + kink_fields.size();

/// All fields: trial_fields, last_step, average_fields, validation_fields, average_validation_risk, kink_fields.
inline constexpr std::array<TrialField, all_trial_field_count> all_trial_fields = [] {
    std::array<TrialField, all_trial_field_count> all{};
    std::size_t count = 0;
    for (const TrialField& field : trial_fields) all[count++] = field;
    all[count++] = last_step_field;
    for (const TrialField& field : average_fields) all[count++] = field;
    for (const TrialField& field : validation_fields) all[count++] = field;
    all[count++] = average_validation_field;
    for (const TrialField& field : kink_fields) all[count++] = field;
    return all;
}();

}  // namespace limrisk
