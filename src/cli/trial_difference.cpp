// Comparison by the table of fields.
#include "cli/trial_difference.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "backend/same_number.hpp"

namespace limrisk::cli {
namespace {

template <class Value>
Value value_at(const TrialRecord& record, std::size_t offset) {
    Value value;
    std::memcpy(&value, reinterpret_cast<const char*>(&record) + offset, sizeof(Value));
    return value;
}

std::string with_bits(double value) { return fmt::format("{} ({:#018x})", value, std::bit_cast<std::uint64_t>(value)); }

/// Text of a field in which different bits look different.
std::string field_text(const TrialRecord& record, const TrialField& field) {
    switch (field.type) {
        case FieldType::Float64:
            return with_bits(value_at<double>(record, field.offset));
        case FieldType::Int64:
            return std::to_string(value_at<std::int64_t>(record, field.offset));
        case FieldType::UInt64:
            return fmt::format("{:#018x}", value_at<std::uint64_t>(record, field.offset));
        case FieldType::Int32:
            return std::to_string(value_at<std::int32_t>(record, field.offset));
    }
    return "";
}

/// " (w[3][1], neuron 3)": what stands at a canonical index.
std::string neuron_text(std::int64_t index, std::int64_t width, std::int64_t dimension) {
    if (dimension <= 0) return "";
    const std::int64_t biases = width * dimension, outer = biases + width, constant = outer + width;
    if (index < biases) return fmt::format(" (w[{}][{}], neuron {})", index / dimension, index % dimension, index / dimension);
    if (index < outer) return fmt::format(" (b[{0}], neuron {0})", index - biases);
    if (index < constant) return fmt::format(" (v[{0}], neuron {0})", index - outer);
    return index == constant ? " (c)" : fmt::format(" (u[{}])", index - constant - 1);
}

}  // namespace

std::string record_difference(const TrialRecord& left, const char* left_name, const TrialRecord& right, const char* right_name) {
    for (const TrialField& field : all_trial_fields) {
        if (!same_field(left, right, field))
            return fmt::format("{} is {} in {}, {} in {}", field.name, field_text(left, field), left_name, field_text(right, field),
                               right_name);
    }
    return "";
}

std::string stored_difference(TrialRecord now, const char* name, const TrialRecord& stored) {
    if (stored.average_validation_risk == TrialRecord{}.average_validation_risk)
        now.average_validation_risk = stored.average_validation_risk;
    return record_difference(now, name, stored, "the store");
}

std::string check_difference(const CheckRecord& left, const char* left_name, const CheckRecord& right, const char* right_name) {
    const struct {
        const char* name;
        double CheckRecord::*member;
    } reals[] = {
        {"risk", &CheckRecord::risk}, {"gradient_norm", &CheckRecord::gradient_norm}, {"parameter_norm", &CheckRecord::parameter_norm}};
    const struct {
        const char* name;
        std::int32_t CheckRecord::*member;
    } counts[] = {{"inactive", &CheckRecord::inactive},
                  {"constant", &CheckRecord::constant},
                  {"linear", &CheckRecord::linear},
                  {"kinked", &CheckRecord::kinked},
                  {"inactive_on_data", &CheckRecord::inactive_on_data}};
    const auto text = [&](const char* name, const auto& a, const auto& b) {
        return fmt::format("{} is {} in {}, {} in {}", name, a, left_name, b, right_name);
    };
    if (left.step != right.step) return text("step", left.step, right.step);
    for (const auto& real : reals)
        if (!same_number(left.*real.member, right.*real.member))
            return text(real.name, with_bits(left.*real.member), with_bits(right.*real.member));
    for (const auto& count : counts)
        if (left.*count.member != right.*count.member) return text(count.name, left.*count.member, right.*count.member);
    return "";
}

std::string state_difference(const FinalState& left, const char* left_name, const FinalState& right, const char* right_name,
                             std::int64_t width, std::int64_t dimension) {
    const struct {
        const char* name;
        const std::vector<double>&a, &b;
    } arrays[] = {{"initial parameter", left.initial_parameters, right.initial_parameters},
                  {"parameter", left.parameters, right.parameters},
                  {"first state", left.first_state, right.first_state},
                  {"second state", left.second_state, right.second_state},
                  {"third state", left.third_state, right.third_state},
                  {"best parameter", left.best_parameters, right.best_parameters},
                  {"parameter of the average", left.average_parameters, right.average_parameters}};
    for (const auto& array : arrays) {
        if (array.a.size() != array.b.size())
            return fmt::format("{}s number {} in {}, {} in {}", array.name, array.a.size(), left_name, array.b.size(), right_name);
        for (std::size_t i = 0; i < array.a.size(); ++i) {
            if (same_number(array.a[i], array.b[i])) continue;
            return fmt::format("{} {}{} is {} in {}, {} in {}", array.name, i, neuron_text(static_cast<std::int64_t>(i), width, dimension),
                               with_bits(array.a[i]), left_name, with_bits(array.b[i]), right_name);
        }
    }
    return "";
}

}  // namespace limrisk::cli
