// Bitwise comparison by the table of fields.
#include "cli/trial_difference.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "limrisk/trial_fields.hpp"

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

}  // namespace

std::string record_difference(const TrialRecord& left, const char* left_name, const TrialRecord& right, const char* right_name) {
    for (const TrialField& field : trial_fields) {
        const std::string a = field_text(left, field), b = field_text(right, field);
        if (a != b) return fmt::format("{} is {} in {}, {} in {}", field.name, a, left_name, b, right_name);
    }
    return "";
}

std::string state_difference(const FinalState& left, const char* left_name, const FinalState& right, const char* right_name) {
    const struct {
        const char* name;
        const std::vector<double>&a, &b;
    } arrays[] = {{"initial parameter", left.initial_parameters, right.initial_parameters},
                  {"parameter", left.parameters, right.parameters},
                  {"first state", left.first_state, right.first_state},
                  {"second state", left.second_state, right.second_state}};
    for (const auto& array : arrays) {
        if (array.a.size() != array.b.size())
            return fmt::format("{}s number {} in {}, {} in {}", array.name, array.a.size(), left_name, array.b.size(), right_name);
        for (std::size_t i = 0; i < array.a.size(); ++i) {
            if (std::bit_cast<std::uint64_t>(array.a[i]) == std::bit_cast<std::uint64_t>(array.b[i])) continue;
            return fmt::format("{} {} is {} in {}, {} in {}", array.name, i, with_bits(array.a[i]), left_name, with_bits(array.b[i]),
                               right_name);
        }
    }
    return "";
}

}  // namespace limrisk::cli
