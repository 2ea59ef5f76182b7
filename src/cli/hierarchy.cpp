// limrisk hierarchy: the levels of the risk of one width as certified local minima, and how many trials of a store ended on each.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "campaign/cell_description.hpp"
#include "cli/backend_choice.hpp"
#include "cli/campaign_options.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "optimum/optimum_json.hpp"
#include "report/cell_axes.hpp"
#include "report/text_table.hpp"
#include "store/counted_trials.hpp"
#include "store/document_table.hpp"
#include "store/store.hpp"

namespace limrisk::cli {
namespace {

namespace opt = limrisk::optimum;

struct HierarchyCommand {
    CampaignOptions campaign;
    BackendChoice backend;
    std::string store;
    std::int64_t width = 0;
    double tolerance = opt::classification_tolerance;
    bool json = false;
};

/// Where the trials of one cell ended.
struct CellCounts {
    CellConfig cell;
    std::vector<std::int64_t> on_level;  ///< [levels]
    std::int64_t on_none = 0, trials = 0;
    bool under_rule = false;  ///< a stopping rule chose the number of trials
};

std::vector<CellCounts> count_trials(const HierarchyCommand& command, const opt::Problem& problem, const std::vector<opt::Level>& levels) {
    std::vector<CellCounts> counts;
    if (command.store.empty()) return counts;
    const Store store = Store::open(command.store);
    if (store.contents() != StoreContents::Trials)
        throw Error(ExitCode::Usage,
                    fmt::format("{} keeps summaries; which level a trial ended on needs a store of trials", command.store));
    for (const StoredCell& stored : store.cells()) {
        CellCounts count{cell_from_description(stored.description), std::vector<std::int64_t>(levels.size())};
        count.cell.index = stored.index;
        if (count.cell.width != command.width || opt::problem_of(count.cell).id != problem.id) continue;
        count.under_rule = store.stopping().has_value();
        for_each_counted_trial(store, stored.index, [&](std::int64_t, const TrialRecord& record) {
            ++count.trials;
            const auto level = opt::classify(levels, record.final_risk, command.tolerance);
            ++(level ? count.on_level[*level] : count.on_none);
        });
        counts.push_back(std::move(count));
    }
    return counts;
}

std::string levels_text(const opt::Problem& problem, std::int64_t width, const std::vector<opt::Level>& levels) {
    std::vector<TextColumn> columns{{"", "level"},
                                    {"", "risk"},
                                    {"", "neurons"},
                                    {"", "kinks", 0, true},
                                    {"", "optimum of", 0},
                                    {"eigenvalues", "min"},
                                    {"eigenvalues", "max", 2},
                                    {"", "gradient", 1},
                                    {"", "certified", 0, true}};
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const opt::Level& level = levels[i];
        const std::string kinks = level.shape.size() <= 14 ? level.shape : level.shape.substr(0, 11) + "...";
        const std::string cells[] = {std::to_string(i),
                                     fmt::format("{:.12g}", level.risk),
                                     std::to_string(level.neurons),
                                     kinks,
                                     level.optimum_of ? fmt::format("width {}", *level.optimum_of) : "",
                                     fmt::format("{:.2g}", level.certificate.smallest_eigenvalue),
                                     fmt::format("{:.2g}", level.certificate.largest_eigenvalue),
                                     fmt::format("{:.1g}", level.certificate.gradient_norm),
                                     level.certificate.certified ? "yes" : "NO"};
        for (std::size_t k = 0; k < columns.size(); ++k) columns[k].cells.push_back(cells[k]);
    }
    const TextTable table(std::move(columns), 100);
    std::string text = fmt::format("{}: levels of width {}\n", problem.label, width) + table.heads();
    for (std::size_t row = 0; row < levels.size(); ++row) text += table.row(row);
    return text;
}

std::string counts_text(const CellCounts& count, double tolerance) {
    std::vector<TextColumn> columns{{"", "level"}, {"", "trials"}, {"", "share"}, {"95 % interval", "from"}, {"95 % interval", "to"}};
    const auto add = [&](const std::string& name, std::int64_t trials) {
        const Interval interval = share_interval(trials, count.trials, count.under_rule);
        const double share = count.trials > 0 ? static_cast<double>(trials) / static_cast<double>(count.trials) : 0;
        const std::string cells[] = {name, std::to_string(trials), fmt::format("{:.2f} %", 100 * share),
                                     fmt::format("{:.2f} %", 100 * interval.low), fmt::format("{:.2f} %", 100 * interval.high)};
        for (std::size_t k = 0; k < columns.size(); ++k) columns[k].cells.push_back(cells[k]);
    };
    std::size_t rows = 1;
    for (std::size_t i = 0; i < count.on_level.size(); ++i)
        if (count.on_level[i] > 0) add(std::to_string(i), count.on_level[i]), ++rows;
    add("none", count.on_none);
    const TextTable table(std::move(columns), 100);
    std::vector<std::string> parts = cell_phrases(count.cell);
    parts.front() = fmt::format("cell {}: {}", count.cell.index, parts.front());
    parts.push_back(fmt::format("{} trials; final risk within {:g} of a level", count.trials, tolerance));
    std::string text = "\n" + wrapped(parts, 100) + table.heads();
    for (std::size_t row = 0; row < rows; ++row) text += table.row(row);
    return text;
}

nlohmann::ordered_json as_json(const opt::Problem& problem, std::int64_t width, const std::vector<opt::Level>& levels,
                               const std::vector<CellCounts>& counts, double tolerance) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array(), cells = nlohmann::ordered_json::array();
    for (const opt::Level& level : levels) rows.push_back(opt::to_json(level));
    for (const CellCounts& count : counts)
        cells.push_back({{"cell", count.cell.index}, {"trials", count.trials}, {"on_level", count.on_level}, {"on_none", count.on_none}});
    return {{"problem", nlohmann::ordered_json::parse(problem.description)},
            {"width", width},
            {"levels", rows},
            {"tolerance", tolerance},
            {"cells", cells}};
}

ExitCode hierarchy(const HierarchyCommand& command) {
    const Campaign campaign = load(command.campaign);
    const std::vector<opt::ProblemWidth> problems = opt::problems_of(campaign.cells);
    const bool trains = !std::ranges::all_of(
        problems, opt::has_kink_search, [](const auto& one) -> auto& { return one.problem; });
    const std::unique_ptr<Backend> backend = make_backend(command.backend, campaign.cells, command.json || !trains);
    std::string text, failures;
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    std::vector<StoredDocument> catalogs;
    for (const opt::ProblemWidth& one : problems) {
        const std::vector<opt::Level> levels = opt::find_levels(one.problem, command.width, *backend);
        const std::vector<CellCounts> counts = count_trials(command, one.problem, levels);
        catalogs.push_back(
            {document_kind::levels, one.problem.id, command.width, one.problem.description, opt::levels_to_json(levels), "", ""});
        text += (text.empty() ? "" : "\n") + levels_text(one.problem, command.width, levels);
        for (const CellCounts& count : counts) text += counts_text(count, command.tolerance);
        all.push_back(as_json(one.problem, command.width, levels, counts, command.tolerance));
        for (const opt::Level& level : levels)
            if (!level.certificate.certified)
                failures +=
                    fmt::format("WARNING: {}: the level {:.12g} is not certified as a local minimum\n", one.problem.label, level.risk);
    }
    if (!command.store.empty()) write_documents(command.store, std::move(catalogs));
    print(command.json ? all.dump(2) + "\n" : text);
    note(failures);
    return ExitCode::Done;
}

}  // namespace

void add_hierarchy(CLI::App& app, Action& action) {
    const auto options = std::make_shared<HierarchyCommand>();
    CLI::App* command =
        app.add_subcommand("hierarchy", "the levels of the risk: certified local minima, and the trials that ended on them");
    add_campaign_options(*command, options->campaign);
    command->add_option("--width", options->width, "width of the networks")
        ->type_name("H")
        ->required()
        ->transform(whole_number(0, opt::largest_searched_width));
    command
        ->add_option("--store", options->store,
                     "count the trials of this store on each level, and keep the levels there for summaries and reports")
        ->type_name("FILE");
    command->add_option("--tolerance", options->tolerance, "largest relative distance of a trial's final risk from its level")
        ->type_name("T")
        ->check(decimal_number(0, 1))
        ->capture_default_str();
    command->add_flag("--json", options->json, "as JSON, with all parameters");
    add_backend_options(*command, options->backend);
    command->footer(
        examples({"limrisk hierarchy campaign.toml --width 2", "limrisk hierarchy campaign.toml --width 2 --store campaign.db"}));
    command->callback([&action, options] { action = [options] { return hierarchy(*options); }; });
}

}  // namespace limrisk::cli
