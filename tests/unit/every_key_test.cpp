// Every key that a campaign can sweep, swept with two values: whatever reads the store must tell the cells apart. The keys come from the
// schema and the catalogs, so a new one is tested without being named here.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>

#include "analysis/cell_axes.hpp"
#include "analysis/summary.hpp"
#include "campaign/schema.hpp"
#include "report/export.hpp"
#include "report/page.hpp"
#include "report/report.hpp"
#include "report/sentence.hpp"
#include "report/summary_text.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

/// Two values of a parameter, as TOML; the tests take the first pair that a campaign may have.
std::vector<std::pair<std::string, std::string>> values_of(const Parameter& parameter) {
    switch (parameter.type) {
        case ParameterType::Integer:
        case ParameterType::Unsigned:
            return {{"2", "3"}, {"4", "8"}, {"1", "2"}, {"3", "5"}};
        case ParameterType::Reals:  // the one of a sweep is a list of lists
        case ParameterType::Real:
            return {{"0.25", "0.5"}, {"2.5", "3.5"}, {"-1.5", "-2.5"}};
        case ParameterType::LearningRate:
            return {{"0.01", "0.02"}};
        case ParameterType::Boolean:
            return {{"true", "false"}};
        case ParameterType::Choice:
            return {{'"' + std::string(parameter.choices[0]) + '"', '"' + std::string(parameter.choices[1]) + '"'}};
        case ParameterType::Text:
            return {{"\"one\"", "\"two\""}, {"\"b\"", "\"vc\""}};
        case ParameterType::Target:
            return {{"\"x1\"", "\"x2\""}};
        case ParameterType::Data:
            return {{"{ points = [[0, 1], [1, 0]] }", "{ points = [[0, 1], [1, 2]] }"}};
        case ParameterType::Start:
            return {{"{ w = [[1, 0], [0, 1]], b = [0, 1], v = [1, 2] }", "{ w = [[1, 0], [0, 1]], b = [0, 1], v = [1, 3] }"}};
        case ParameterType::Expression:
            return {{"0.25", "\"1/sqrt(h)\""}};
        case ParameterType::Function:
            return {{"0.25", "\"1 + x1^2\""}};
        case ParameterType::Entry:
            return {{"\"zero\"", "\"constant(1)\""}};
    }
    return {};
}

/// Tables of the entry with a list for `swept`; its other parameters have one value or, where they may, none, by chance.
std::vector<std::string> tables_of(const Catalog& catalog, const CatalogEntry& entry, const Parameter& swept) {
    std::vector<std::string> tables;
    std::mt19937 chance(1);
    const bool one_dimension = std::string_view(entry.name) == "density";
    for (int attempt = 0; attempt < 240; ++attempt) {
        std::string table = catalog.tag == nullptr ? "" : fmt::format("{} = \"{}\"", catalog.tag, entry.name);
        for (const Parameter& parameter : entry.parameters) {
            const bool sweep = &parameter == &swept;
            if (!sweep && !parameter.required && chance() % 2 == 0) continue;
            const auto values = values_of(parameter);
            const auto& [first, second] = values[chance() % values.size()];
            table += fmt::format("{}{} = {}", table.empty() ? "" : ", ", parameter.name,
                                 sweep && parameter.type == ParameterType::Reals && !one_dimension
                                     ? fmt::format("[[{0}, {1}], [{1}, {1}]]", first, second)
                                 : sweep             ? fmt::format("[{}, {}]", first, second)
                                 : chance() % 2 == 0 ? first
                                                     : second);
        }
        tables.push_back("{ " + table + " }");
    }
    return tables;
}

constexpr const char* base = R"toml(name = "every key"
trials = 20
steps = 16
[problem]
input = { law = "uniform", dimension = 2 }
target = "x1"
[network]
width = [2, 4]
[training]
batch = 4
optimizer = "sgd(0.05)"
)toml";

/// For keys that have their effect here only.
constexpr const char* on_nodes = R"toml(name = "every key"
trials = 20
steps = 16
[problem]
input = { law = "uniform", dimension = 1 }
target = "x1"
[network]
width = [2, 4]
[training]
sampling = { nodes = 4 }
optimizer = "sgd(0.05)"
)toml";

constexpr const char* on_data = R"toml(name = "every key"
trials = 20
steps = 16
[problem]
data = { points = [[0, 1], [1, 3], [2, -1]] }
[network]
width = [2, 4]
[training]
optimizer = "sgd(0.05)"
)toml";

constexpr const char* large_batch = R"toml(name = "every key"
trials = 20
steps = 16
[problem]
input = { law = "uniform", dimension = 1 }
target = "x1"
[network]
width = [2, 4]
[training]
batch = 100
optimizer = "sgd(0.05)"
)toml";

constexpr const char* one_width = R"toml(name = "every key"
trials = 20
steps = [16, 17]
[problem]
input = { law = "uniform", dimension = 2 }
target = "x1"
[network]
width = 2
[training]
batch = 4
optimizer = "sgd(0.05)"
)toml";

constexpr const char* with_skip = R"toml(name = "every key"
trials = 20
steps = 16
[problem]
input = { law = "uniform", dimension = 2 }
target = "x1"
[network]
width = [2, 4]
skip = true
[training]
batch = 4
optimizer = "sgd(0.05)"
)toml";

constexpr const char* with_kinks = R"toml(name = "every key"
trials = 20
steps = 16
[problem]
input = { law = "uniform", dimension = 1 }
target = "x1"
[network]
width = [2, 4]
[training]
sampling = { nodes = 4 }
optimizer = "sgd(0.05)"
[tracking]
kinks = true
)toml";

/// A piecewise schedule, whose steps ascend, with a list for one of its parameters.
std::string ascending_changes(const std::string& swept) {
    std::string table = "{ schedule = \"piecewise\"";
    const std::pair<const char*, const char*> values[] = {{"initial", "0.05"}, {"from_1", "2"},    {"rate_1", "0.04"},
                                                          {"from_2", "5"},     {"rate_2", "0.03"}, {"from_3", "9"},
                                                          {"rate_3", "0.02"},  {"warmup", "3"},    {"warmup_start", "0.1"}};
    const std::string others[] = {"0.06", "3", "0.045", "6", "0.035", "10", "0.025", "4", "0.2"};
    for (std::size_t k = 0; k < std::size(values); ++k)
        table += swept == values[k].first ? fmt::format(", {} = [{}, {}]", values[k].first, values[k].second, others[k])
                                          : fmt::format(", {} = {}", values[k].first, values[k].second);
    if (swept == "from_one") table += ", from_one = [false, true]";
    return table + " }";
}

struct Sweep {
    std::string name;
    std::vector<std::pair<std::string, std::string>> settings;  ///< key and value; the first that a campaign may have counts
};

std::vector<Sweep> all_sweeps() {
    std::vector<Sweep> sweeps;
    for (const SchemaKey& key : campaign_schema()) {
        if (key.scope != KeyScope::Sweep) continue;
        const Catalog* catalog = key.parameter.catalog;
        if (catalog == nullptr) {
            Sweep& sweep = sweeps.emplace_back(Sweep{key.path(), {}});
            for (const auto& [first, second] : values_of(key.parameter))
                sweep.settings.emplace_back(key.path(), fmt::format("[{}, {}]", first, second));
            continue;
        }
        Sweep choices{key.path(), {}};
        std::string names;
        for (const CatalogEntry& entry : catalog->entries) {
            const bool simple = std::none_of(entry.parameters.begin(), entry.parameters.end(), [](const auto& p) { return p.required; });
            if (simple) names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", entry.name);
            for (const Parameter& parameter : entry.parameters) {
                Sweep& sweep = sweeps.emplace_back(Sweep{fmt::format("{}, {}: {}", key.path(), entry.name, parameter.name), {}});
                for (const std::string& table : tables_of(*catalog, entry, parameter)) {
                    sweep.settings.emplace_back(key.path(), table);
                    sweep.settings.emplace_back(key.path(),
                                                fmt::format("[\"fresh\", {}]", table));  // a batch needs fresh samples somewhere
                }
            }
        }
        choices.settings.emplace_back(key.path(), "[" + names + "]");
        choices.settings.emplace_back(key.path(), "[\"fresh\", { nodes = 2 }]");
        choices.settings.emplace_back(key.path(), R"([{ law = "uniform", dimension = 2 }, { law = "normal", dimension = 2 }])");
        choices.settings.emplace_back(key.path(), R"toml(["sgd(0.05)", "adam(0.05)"])toml");
        choices.settings.emplace_back(key.path(), R"toml(["none", "normal(0.5)"])toml");
        choices.settings.emplace_back(key.path(), R"toml(["none", "no_inactive_neuron"])toml");
        sweeps.push_back(std::move(choices));
    }
    for (const CatalogEntry& entry : group_law_catalog().entries) {
        for (const Parameter& parameter : entry.parameters) {
            Sweep& sweep = sweeps.emplace_back(Sweep{fmt::format("group law, {}: {}", entry.name, parameter.name), {}});
            std::vector<std::string> tables = tables_of(group_law_catalog(), entry, parameter);
            // Both ends, and no half width.
            if (std::string_view(parameter.name) == "low") tables = {R"({ law = "uniform", low = [0.25, 0.5], high = 1 })"};
            if (std::string_view(parameter.name) == "high") tables = {R"({ law = "uniform", low = -1, high = [0.25, 0.5] })"};
            for (const std::string& table : tables)
                sweep.settings.emplace_back("network.initialization", fmt::format("{{ w = {}, b = \"zero\", v = \"normal(1)\" }}", table));
        }
    }
    for (const CatalogEntry& entry : schedule_catalog().entries) {
        for (const Parameter& parameter : entry.parameters) {
            Sweep& sweep = sweeps.emplace_back(Sweep{fmt::format("learning_rate, {}: {}", entry.name, parameter.name), {}});
            std::vector<std::string> tables = tables_of(schedule_catalog(), entry, parameter);
            if (std::string(entry.name) == "piecewise") tables = {ascending_changes(parameter.name)};
            for (const std::string& table : tables)
                sweep.settings.emplace_back("training.optimizer", fmt::format("{{ name = \"sgd\", learning_rate = {} }}", table));
        }
    }
    return sweeps;
}

/// The first setting that gives a campaign with more cells than the two widths, or one of the width itself.
std::optional<Campaign> campaign_of(const Sweep& sweep) {
    for (const char* text : {base, on_nodes, on_data, large_batch, one_width, with_skip, with_kinks}) {
        for (const auto& setting : sweep.settings) {
            try {
                Overrides overrides;
                overrides.set = {setting};
                Campaign campaign = parse_campaign(text, "base.toml", overrides);
                if (campaign.cells.size() > 2 || setting.first == "network.width") return campaign;
            } catch (const ConfigError&) {
                continue;
            }
        }
    }
    return std::nullopt;
}

std::vector<TrialRecord> some_records(const CellConfig& cell) {
    std::vector<TrialRecord> records(20);
    for (std::size_t t = 0; t < records.size(); ++t) {
        TrialRecord& record = records[t];
        record.initial_risk = 2;
        record.final_risk = record.tail_minimum = record.tail_mean = record.tail_maximum = record.best_risk = 0.01;
        record.gradient_norm = record.parameter_norm = 100;
        const auto inactive = static_cast<std::int32_t>(cell.has_condition() ? cell.inactive_start : t % 4 == 0);
        record.inactive_initial = record.inactive_final = record.inactive_maximum = inactive;
        record.verdict = Verdict::Converged;
        record.last_step = cell.steps;
        if (cell.kinks) record.kinks_crossed = 1, record.kink_displacement = 0.5;
    }
    return records;
}

std::string first_line(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// Points that were drawn come back from a store, and cells of different origins are told apart by their labels.
TEST_F(StoreTest, DrawnPointsKeepTheirOrigin) {
    Overrides overrides;
    overrides.set = {{"problem.data", "[{ draw = 4 }, { draw = 4, seed = 1 }]"},
                     {"problem.target", "[\"x1\", \"x1^2\"]"},
                     {"training.batch", "2"},
                     {"training.sampling", "epochs"}};
    const Campaign campaign = parse_campaign(base, "base.toml", overrides);
    ASSERT_EQ(campaign.cells.size(), 8U);
    { Store store = Store::open_for_writing(path(), campaign); }
    const Store store = Store::open(path());
    std::set<std::string> labels;
    for (std::size_t i = 0; i < campaign.cells.size(); ++i) {
        const CellConfig &cell = store.cells()[i], &given = campaign.cells[i];
        EXPECT_EQ(cell.data->inputs, given.data->inputs);
        EXPECT_EQ(cell.data->outputs, given.data->outputs);
        EXPECT_EQ(cell.data->origin, given.data->origin);
        EXPECT_EQ(cell.input_label, given.input_label);
        labels.insert(cell.input_label);
    }
    EXPECT_EQ(labels.size(), 4U);
    EXPECT_EQ(store.cells()[0].data, store.cells()[1].data) << "the two widths share their points";
}

/// Points that trials choose from are kept; how many they draw tells cells apart, also from those that train on all of them.
TEST_F(StoreTest, PointsToChooseFromAreKept) {
    const std::string points = "{ points = [[0, 1], [1, 3], [2, -1]]";
    Overrides overrides;
    overrides.set = {{"problem.data", "[" + points + " }, " + points + ", resample = 4, per = \"trial\" }, " + points +
                                          ", resample = \"h + 1\", per = \"trial\" }]"}};
    const std::string text = std::regex_replace(std::string(base), std::regex("\n(input|target|batch) = [^\n]*"), "");
    const Campaign campaign = parse_campaign(text, "base.toml", overrides);
    { Store store = Store::open_for_writing(path(), campaign); }
    const Store store = Store::open(path());
    EXPECT_EQ(store.documents(document_kind::data).size(), 1U);
    std::set<std::string> ids;
    for (std::size_t i = 0; i < campaign.cells.size(); ++i) {
        const CellConfig &cell = store.cells()[i], &given = campaign.cells[i];
        EXPECT_EQ(cell.data->resample, given.data->resample);
        EXPECT_EQ(cell.has_own_points(), given.has_own_points());
        EXPECT_EQ(cell.data->inputs, given.data->inputs);
        EXPECT_EQ(cell.input_label, given.input_label);
        ids.insert(cell.id);
    }
    EXPECT_EQ(ids.size(), campaign.cells.size());
}

TEST_F(StoreTest, PointsOfTrialsAreSaidAndNotKept) {
    Overrides overrides;
    overrides.set = {
        {"problem.data", "[{ draw = 4, per = \"trial\" }, { draw = 4 }]"}, {"training.batch", "2"}, {"training.sampling", "epochs"}};
    const Campaign campaign = parse_campaign(base, "base.toml", overrides);
    { Store store = Store::open_for_writing(path(), campaign); }
    const Store store = Store::open(path());
    EXPECT_EQ(store.documents(document_kind::data).size(), 1U);
    for (const CellConfig& cell : store.cells()) {
        const CellConfig& given = campaign.cells[static_cast<std::size_t>(cell.index)];
        EXPECT_EQ(cell.has_own_points(), given.has_own_points());
        EXPECT_EQ(cell.data->count, 4);
        EXPECT_EQ(cell.target, given.target);
        EXPECT_EQ(cell.input_label, given.input_label);
    }
    EXPECT_TRUE(store.cells().front().has_own_points());
    EXPECT_FALSE(store.cells().back().has_own_points());
}

TEST_F(StoreTest, EverySweptKeyTellsCellsApart) {
    for (const Sweep& sweep : all_sweeps()) {
        SCOPED_TRACE(sweep.name);
        const std::optional<Campaign> campaign = campaign_of(sweep);
        ASSERT_TRUE(campaign) << "no pair of values gives a campaign: add one to values_of()";
        Store store = Store::open_for_writing(path(), *campaign);
        for (const CellConfig& cell : campaign->cells) store.write_block({cell.index, 0, 20}, some_records(cell));
        const StoreSummary summary = summarize(store);

        std::set<std::string> ids, names, texts;
        for (const CellSummary& cell : summary.cells) ids.insert(cell.cell.id);
        for (const std::string& text : sentences(summary)) texts.insert(text);
        for (const auto& phrases : distinctions(campaign->cells, true)) names.insert(fmt::format("{}", fmt::join(phrases, ", ")));
        EXPECT_EQ(ids.size(), summary.cells.size());
        EXPECT_EQ(names.size(), summary.cells.size());
        EXPECT_EQ(texts.size(), summary.cells.size());
        for (const RateStatement& rate : summary.rates) {
            std::set<std::int64_t> widths;
            for (const std::int64_t cell : rate.cells) widths.insert(summary.cells[static_cast<std::size_t>(cell)].cell.width);
            EXPECT_EQ(widths.size(), rate.cells.size()) << "two cells of one width in a rate";
        }
        const std::string table = summary_table(summary), json = summary_json(summary), csv = summary_csv(summary);
        EXPECT_THAT(table, ::testing::HasSubstr("every key"));
        EXPECT_EQ(nlohmann::json::parse(json)["cells"].size(), summary.cells.size());
        EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), static_cast<std::ptrdiff_t>(summary.cells.size()) + 1);

        const std::vector<CellGroup> groups = cell_groups(summary);
        for (const CellGroup& group : groups) {
            std::set<std::int64_t> widths;
            for (const std::size_t cell : group.cells) widths.insert(summary.cells[cell].cell.width);
            EXPECT_EQ(widths.size(), group.cells.size()) << group.label;
        }
        const std::vector<FigureSection> sections = report_figures(summary, groups, {});
        EXPECT_THAT(report_page(summary, groups, {}, sections, std::vector<std::string>(1000), {"store.db", "0"}),
                    ::testing::HasSubstr("</html>"));
        for (const ExportFormat format : {ExportFormat::Csv, ExportFormat::Json, ExportFormat::Npz})
            EXPECT_EQ(export_store(store, format, path("export"), true), 20 * static_cast<std::int64_t>(summary.cells.size()));
        export_store(store, ExportFormat::Csv, path("export"), true);
        const std::string heads = "," + first_line(path("export")) + ",";
        for (const SchemaKey& key : campaign_schema()) {
            const std::string name = key.column();
            EXPECT_TRUE(!key.of_cell() || heads.find("," + name + ",") != std::string::npos) << name;
        }
        std::filesystem::remove(path());
    }
}

}  // namespace
}  // namespace limrisk::testing
