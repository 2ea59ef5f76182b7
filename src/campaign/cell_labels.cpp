// Short human names of a cell's choices, for tables and figures, in the call form of a campaign: "leaky_relu(0.05)", "adam(0.01,
// alpha=0.5)".
#include <fmt/format.h>

#include <algorithm>

#include "campaign/alternative.hpp"
#include "campaign/cell_description.hpp"

namespace limrisk {
namespace {

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
                arguments.push_back(label(*parameter.catalog, cell));
                brief = true;  // only what is unusual, and by name: an optimizer has many parameters
                break;
            case ParameterType::Integer:
            case ParameterType::Unsigned:
            case ParameterType::Real: {
                std::string shown = parameter.text(*value);
                if (!brief) arguments.push_back(std::move(shown));
                if (brief && !is_default(parameter, *value)) arguments.push_back(fmt::format("{}={}", parameter.name, shown));
                brief = brief || catalog.kind == schedule_catalog().kind;  // after the first
                break;
            }
            case ParameterType::Boolean:
                if (!is_default(parameter, *value)) arguments.push_back((value->integer != 0 ? "" : "no ") + spaced(parameter.name));
                break;
            case ParameterType::Choice:
                if (!is_default(parameter, *value)) remark += fmt::format(", {} {}", parameter.text(*value), spaced(parameter.name));
                break;
            case ParameterType::Reals:
            case ParameterType::Text:
            case ParameterType::Expression:
            case ParameterType::Function:
            case ParameterType::Data:
            case ParameterType::Start:
            case ParameterType::Target:
            case ParameterType::Entry:
                arguments.push_back(parameter.text(*value));
                break;
        }
    }
    return entry.name + joined(arguments) + remark;
}

}  // namespace

void fill_labels(CellConfig& cell) {
    for (const Catalog* catalog : catalogs())
        if (catalog->label != nullptr) cell.*catalog->label = label(*catalog, cell);
    if (cell.has_given_points()) cell.input_label = cell.data->label();
    if (cell.has_start()) cell.initialization_label = cell.start->label();
}

}  // namespace limrisk
