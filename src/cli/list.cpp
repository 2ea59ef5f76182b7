// limrisk list: everything that a campaign can choose by name, with parameters and defaults, from the tables the campaign reader uses.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "campaign/catalog.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "expression/functions.hpp"

namespace limrisk::cli {
namespace {

/// With the aliases.
std::vector<CatalogEntry> entries_of(const Catalog& catalog) {
    std::vector<CatalogEntry> entries = catalog.entries;
    entries.insert(entries.end(), catalog.aliases.begin(), catalog.aliases.end());
    return entries;
}

std::string as_text() {
    std::string text;
    for (const Catalog* catalog : catalogs()) {
        text += fmt::format("{}{} ({})\n", text.empty() ? "" : "\n", catalog->plural, catalog->key);
        for (const CatalogEntry& entry : entries_of(*catalog)) {
            text += fmt::format("  {:<16} {}\n", entry.name, entry.meaning);
            for (const Parameter& parameter : entry.parameters) {
                const std::string fallback = parameter.fallback   ? fmt::format("default {}", parameter.fallback)
                                             : parameter.required ? "required"
                                                                  : "optional";
                text += fmt::format("    {:<16} {} ({}; {})\n", parameter.name, parameter.meaning, parameter.allowed(), fallback);
            }
        }
    }
    text += "\ntarget expressions (problem.target), in x1..xd\n  + - * / ^  < <= > >= == !=  ( )\n";
    for (const ExpressionFunction& function : expression_functions) text += fmt::format("  {:<16} {}\n", function.name, function.meaning);
    for (const ExpressionConstant& constant : expression_constants) text += fmt::format("  {:<16} {}\n", constant.name, constant.value);
    text +=
        "\nor a network with drawn parameters\n  { teacher = { width = 4, activation = \"relu\", initialization = \"standard_normal\", "
        "seed = 3 } }\n";
    return text;
}

std::string as_json() {
    nlohmann::ordered_json all;
    for (const Catalog* catalog : catalogs()) {
        nlohmann::ordered_json entries = nlohmann::ordered_json::array();
        for (const CatalogEntry& entry : entries_of(*catalog)) {
            nlohmann::ordered_json parameters = nlohmann::ordered_json::array();
            for (const Parameter& parameter : entry.parameters) {
                nlohmann::ordered_json row{{"name", parameter.name},
                                           {"type", parameter.type_text()},
                                           {"meaning", parameter.meaning},
                                           {"allowed", parameter.allowed()},
                                           {"required", parameter.required}};
                row["default"] = parameter.fallback ? nlohmann::ordered_json(parameter.fallback) : nlohmann::ordered_json(nullptr);
                parameters.push_back(row);
            }
            entries.push_back({{"name", entry.name}, {"meaning", entry.meaning}, {"parameters", parameters}});
        }
        all[catalog->plural] = {{"key", catalog->key}, {"entries", entries}};
    }
    nlohmann::ordered_json functions = nlohmann::ordered_json::array(), constants = nlohmann::ordered_json::array();
    for (const ExpressionFunction& function : expression_functions)
        functions.push_back({{"name", function.name}, {"arguments", function.arguments}, {"meaning", function.meaning}});
    for (const ExpressionConstant& constant : expression_constants)
        constants.push_back({{"name", constant.name}, {"value", constant.value}});
    all["expressions"] = {{"key", "problem.target"}, {"functions", functions}, {"constants", constants}};
    return all.dump(2) + "\n";
}

}  // namespace

void add_list(CLI::App& app, Action& action) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* command =
        app.add_subcommand("list", "list activations, initializations, optimizers and input laws, with parameters and defaults");
    command->add_flag("--json", *json, "as JSON");
    command->footer(examples({"limrisk list", "limrisk list --json"}));
    command->callback([&action, json] {
        action = [json] {
            print(*json ? as_json() : as_text());
            return ExitCode::Done;
        };
    });
}

}  // namespace limrisk::cli
