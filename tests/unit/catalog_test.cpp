// The schema and the catalogs against what the rest of the program calls things, the documents and the campaigns of experiments/.
#include "campaign/catalog.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "campaign/cell_description.hpp"
#include "campaign/parameter_value.hpp"
#include "campaign/schema.hpp"
#include "campaign/trials_key.hpp"
#include "campaign_fixture.hpp"
#include "limrisk/error.hpp"
#include "tests/enum_values.hpp"

namespace limrisk {
namespace {

using testing::HasSubstr;

TEST(Catalog, NamesAreThoseOfDescriptions) {
    const auto described = [](const CatalogEntry& entry) {
        CellConfig cell;
        entry.choose(cell);
        if (!cell.input.bounded) cell.input.low = cell.input.high = 0;
        return describe(cell);
    };
    for (const Catalog* catalog : {&activation_catalog(), &initialization_catalog(), &optimizer_catalog()}) {
        for (const CatalogEntry& entry : catalog->entries)
            EXPECT_THAT(described(entry), HasSubstr("\"name\":\"" + std::string(entry.name) + "\""));
    }
    for (const CatalogEntry& entry : input_catalog().entries)
        EXPECT_THAT(described(entry), HasSubstr("\"law\":\"" + std::string(entry.name) + "\""));
}

/// Programs that count through an enumeration use the rows by their position; no value is without one.
TEST(Catalog, RowsStandInTheOrderOfTheEnumerations) {
    const auto in_order = [](const Catalog& catalog, const auto& kind_of) {
        for (std::size_t k = 0; k < catalog.entries.size(); ++k) {
            CellConfig cell;
            catalog.entries[k].choose(cell);
            EXPECT_EQ(static_cast<std::size_t>(kind_of(cell)), k) << catalog.entries[k].name;
        }
        EXPECT_EQ(catalog.entries.size(), test::enum_count<decltype(kind_of(CellConfig{}))>()) << catalog.kind;
    };
    in_order(activation_catalog(), [](const CellConfig& cell) { return cell.activation.kind; });
    in_order(initialization_catalog(), [](const CellConfig& cell) { return cell.initialization.kind; });
    in_order(optimizer_catalog(), [](const CellConfig& cell) { return cell.optimizer.kind; });
    in_order(input_catalog(), [](const CellConfig& cell) { return cell.input.kind; });
}

/// What is stored is loaded, parameter by parameter, and no two of an entry share a field.
TEST(Catalog, LoadIsTheInverseOfStore) {
    for (const Catalog* catalog : catalogs()) {
        for (const CatalogEntry& entry : catalog->entries) {
            CellConfig cell;
            entry.choose(cell);
            std::vector<ParameterValue> values;
            for (const Parameter& parameter : entry.parameters) {
                if (parameter.type == ParameterType::Entry) continue;  // writes and reads the cell itself
                ParameterValue value;
                value.text = fmt::format("{}", 2 + values.size());
                value.integer = parameter.type == ParameterType::Boolean || parameter.type == ParameterType::Choice
                                    ? 1
                                    : 2 + static_cast<std::int64_t>(values.size());
                value.number = static_cast<double>(value.integer);
                values.push_back(value);
                parameter.store(cell, value);
            }
            EXPECT_EQ(&catalog->chosen(cell), &entry) << entry.name;
            for (std::size_t k = 0; k < values.size(); ++k) {
                const Parameter& parameter = entry.parameters[k];
                const std::optional<ParameterValue> loaded = parameter.load(cell);
                ASSERT_TRUE(loaded) << entry.name << " " << parameter.name;
                if (parameter.type == ParameterType::Expression || parameter.type == ParameterType::Function) {
                    EXPECT_EQ(loaded->text, values[k].text) << entry.name << " " << parameter.name;
                    continue;
                }
                const bool real = parameter.type == ParameterType::Real || parameter.type == ParameterType::Reals ||
                                  parameter.type == ParameterType::LearningRate;
                EXPECT_EQ(real ? loaded->number : static_cast<double>(loaded->integer), values[k].number) << entry.name << parameter.name;
            }
        }
    }
}

TEST(Catalog, EveryRowSaysWhatItMeans) {
    for (const Catalog* catalog : catalogs()) {
        for (const CatalogEntry& entry : catalog->entries) {
            EXPECT_NE(std::string(entry.meaning), "") << entry.name;
            for (const Parameter& parameter : entry.parameters) {
                EXPECT_NE(std::string(parameter.meaning), "") << entry.name << " " << parameter.name;
                EXPECT_FALSE(parameter.required && parameter.fallback != nullptr) << entry.name << " " << parameter.name;
            }
        }
    }
}

/// A cell that nobody read from a file has the defaults of the schema.
TEST(Schema, DefaultsAreThoseOfACell) {
    const CellConfig cell;
    for (const SchemaKey& key : campaign_schema()) {
        if (!key.of_cell() || key.parameter.fallback == nullptr) continue;
        SCOPED_TRACE(key.path());
        Problems problems;
        const Axis axis = read_parameter(key.parameter, *scalar_from_text(key.parameter.fallback, ""), key.path(), problems);
        ASSERT_EQ(axis.size(), 1U);
        CellConfig read = cell;
        axis[0].apply(read);
        EXPECT_EQ(describe(read), describe(cell));
    }
}

/// Rules name keys that exist, and every text of the table stands.
TEST(Schema, RowsAreComplete) {
    for (const SchemaKey& key : campaign_schema()) {
        SCOPED_TRACE(key.path());
        EXPECT_NE(std::string(key.parameter.meaning), "");
        EXPECT_EQ(find_key(key.path()), &key);
        for (const char* other : key.reads) EXPECT_NE(find_key(other), nullptr) << other;
        if (key.effect.key != nullptr) {
            EXPECT_TRUE(key.effect.in != nullptr && key.effect.where != nullptr && key.effect.elsewhere != nullptr);
            EXPECT_NE(find_key(key.effect.key), nullptr);
        }
        EXPECT_EQ(key.of_cell() && key.parameter.catalog == nullptr, key.parameter.store != nullptr && key.parameter.load != nullptr);
        EXPECT_EQ(key.parameter.required, key.parameter.fallback == nullptr && key.parameter.usual == nullptr);
    }
}

/// A key without effect in some cells makes one cell there, not one for every value.
TEST(Schema, AKeyWithoutEffectSweepsNothing) {
    Overrides overrides;
    overrides.set = {{"problem.input", "[{ law = \"uniform\", dimension = 1 }, { law = \"uniform\", dimension = 2 }]"},
                     {"evaluation.final_nodes", "[16, 32]"},
                     {"network.width", "1"}};
    const Campaign campaign = parse_campaign(R"toml(name = "effect"
trials = 1
steps = 1
[problem]
target = "x1"
[training]
batch = 1
optimizer = "adam"
)toml",
                                             "t.toml", overrides);
    ASSERT_EQ(campaign.cells.size(), 3U);
    EXPECT_EQ(campaign.cells[0].evaluation.final_nodes, 0);
    EXPECT_EQ(campaign.cells[1].evaluation.final_nodes, 16);
    EXPECT_EQ(campaign.cells[2].evaluation.final_nodes, 32);
}

/// The table of keys in docs/campaign.md: | key | meaning | allowed | default |.
std::string schema_table() {
    std::string table;
    for (const SchemaKey& key : campaign_schema()) {
        const Parameter& parameter = key.parameter;
        std::vector<std::string> allowed;
        const std::string only = key.effect.in != nullptr ? fmt::format("; only {}", key.effect.where) : "";
        if (parameter.is_integer() || parameter.type == ParameterType::Real) allowed.push_back(parameter.range.text());
        if (!parameter.choices.empty()) allowed.push_back(fmt::format("`\"{}\"`", fmt::join(parameter.choices, "\"` or `\"")));
        if (parameter.limit != nullptr) allowed.emplace_back(parameter.limit);
        if (key.scope != KeyScope::Sweep && !parameter.several) allowed.emplace_back("no list");
        if (parameter.catalog != nullptr) {
            const std::string words = parameter.catalog->plural;
            std::string anchor = words;
            std::replace(anchor.begin(), anchor.end(), ' ', '-');
            allowed.push_back(fmt::format("[{}](#{})", words, anchor));
        }
        if (parameter.type == ParameterType::Target) allowed.emplace_back("[targets](#targets)");
        if (parameter.type == ParameterType::Start) allowed.emplace_back("[starts](#starts)");
        if (parameter.type == ParameterType::Data) allowed.emplace_back("[data points](#data-points)");
        const std::string usual = parameter.fallback != nullptr ? fmt::format("`{}`", parameter.fallback)
                                  : parameter.usual != nullptr  ? parameter.usual
                                  : key.effect.in != nullptr    ? fmt::format("required {}", key.effect.where)
                                                                : "required";
        table += fmt::format("| `{}` | {}{} | {} | {} |\n", key.path(), parameter.meaning, only, fmt::join(allowed, "; "), usual);
    }
    return table;
}

/// docs/campaign.md has the table of keys as the schema says, and of every entry a row with its parameters and their defaults.
TEST(Documentation, NamesEveryKeyAndEntry) {
    std::ifstream file(std::filesystem::path(LIMRISK_SOURCE_DIR) / "docs" / "campaign.md");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    ASSERT_NE(text, "");
    EXPECT_NE(text.find("| key | meaning | allowed | default |\n|---|---|---|---|\n" + schema_table() + "\n"), std::string::npos)
        << "the table of keys in docs/campaign.md is other than that of src/campaign/schema.cpp, which is:\n"
        << schema_table();
    for (const Parameter* parameter : trials_parameters()) EXPECT_THAT(text, HasSubstr("`" + std::string(parameter->name) + "`"));
    for (const Catalog* catalog : catalogs()) {
        std::string heading = catalog == &schedule_catalog() ? optimizer_catalog().plural : catalog->plural;
        heading.front() = static_cast<char>(std::toupper(heading.front()));
        const std::size_t begin = text.find("\n### " + heading + "\n");
        ASSERT_NE(begin, std::string::npos) << heading;
        const std::string section = text.substr(begin, text.find("\n##", begin + 1) - begin);
        for (const CatalogEntry& entry : catalog->entries) {
            const std::size_t at = section.find(fmt::format("\n| `{}` |", entry.name));
            ASSERT_NE(at, std::string::npos) << heading << " " << entry.name;
            const std::string row = section.substr(at, section.find('\n', at + 1) - at);
            for (const Parameter& parameter : entry.parameters) {
                EXPECT_THAT(row, HasSubstr(fmt::format("`{}`", parameter.name)));
                if (parameter.fallback == nullptr || parameter.type == ParameterType::Choice) continue;
                std::string usual = parameter.fallback;
                if (usual.ends_with(".0")) usual.resize(usual.size() - 2);
                EXPECT_THAT(row, HasSubstr(usual)) << parameter.name;
            }
        }
    }
}

/// Every shipped campaign reads, and so do the descriptions of its cells.
TEST(Experiments, AreRightCampaigns) {
    int count = 0;
    for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(LIMRISK_SOURCE_DIR) / "experiments")) {
        if (file.path().extension() != ".toml") continue;
        const Campaign campaign = load_campaign(file.path());
        EXPECT_EQ(campaign.name, file.path().stem().string());
        for (const CellConfig& cell : campaign.cells)
            EXPECT_EQ(describe(cell_from_description(describe(cell))), describe(cell)) << file.path();
        ++count;
    }
    EXPECT_GE(count, 6);
}

}  // namespace
}  // namespace limrisk
