// Short human names of a cell's choices, for tables and figures, in the call form of a campaign: "leaky_relu(0.05)", "adam(0.01,
// alpha=0.5)".
#include <fmt/format.h>

#include <algorithm>

#include "campaign/alternative.hpp"
#include "campaign/cell_description.hpp"

namespace limrisk {
namespace {

bool is_default(const Parameter& parameter, const ParameterValue& value) {
    if (parameter.fallback == nullptr) return false;
    Problems problems;
    const std::optional<ParameterValue> usual = read_value(parameter, *scalar_from_text(parameter.fallback, ""), "", problems);
    return usual && (parameter.type == ParameterType::Real ? usual->number == value.number : usual->integer == value.integer);
}

std::string spaced(std::string name) {
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
}

std::string joined(const std::vector<std::string>& arguments) {
    return arguments.empty() ? "" : fmt::format("({})", fmt::join(arguments, ", "));
}

std::string label(const Catalog& catalog, const CellConfig& cell) {
    const CatalogEntry& entry = catalog.chosen(cell);
    if (entry.label != nullptr) return entry.label(cell);
    std::vector<std::string> arguments;
    std::string remark;
    bool brief = false;
    for (const Parameter& parameter : entry.parameters) {
        const std::optional<ParameterValue> value = parameter.load(cell);
        if (!value) continue;
        switch (parameter.type) {
            case ParameterType::LearningRate:
                arguments.push_back(label(schedule_catalog(), cell));
                brief = true;  // only what is unusual, and by name: an optimizer has many parameters
                break;
            case ParameterType::Integer:
            case ParameterType::Real: {
                std::string shown =
                    parameter.type == ParameterType::Real ? fmt::format("{}", value->number) : std::to_string(value->integer);
                if (!brief) arguments.push_back(std::move(shown));
                if (brief && !is_default(parameter, *value)) arguments.push_back(fmt::format("{}={}", parameter.name, shown));
                break;
            }
            case ParameterType::Boolean:
                if (!is_default(parameter, *value)) arguments.push_back((value->integer != 0 ? "" : "no ") + spaced(parameter.name));
                break;
            case ParameterType::Choice:
                if (!is_default(parameter, *value))
                    remark += fmt::format(", {} {}", parameter.choices[static_cast<std::size_t>(value->integer)], spaced(parameter.name));
                break;
            case ParameterType::Text:
                arguments.push_back(value->text);
                break;
        }
    }
    return entry.name + joined(arguments) + remark;
}

}  // namespace

void fill_labels(CellConfig& cell) {
    cell.activation_label = label(activation_catalog(), cell);
    cell.initialization_label = label(initialization_catalog(), cell);
    cell.optimizer_label = label(optimizer_catalog(), cell);
    cell.input_label = label(input_catalog(), cell);
    cell.sampling_label = label(sampling_catalog(), cell);
}

}  // namespace limrisk
