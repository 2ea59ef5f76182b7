// limrisk hierarchy: the levels of the risk of one width, what is known of each, and how many trials of a store ended on each.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "analysis/cell_axes.hpp"
#include "analysis/early_ends.hpp"
#include "analysis/known_optima.hpp"
#include "analysis/theory_scan.hpp"
#include "cli/backend_choice.hpp"
#include "cli/campaign_options.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/search_session.hpp"
#include "driver/problem_check.hpp"
#include "optimum/optimum_json.hpp"
#include "report/text_table.hpp"
#include "store/counted_trials.hpp"
#include "store/document_table.hpp"
#include "store/store.hpp"
#include "text/number_text.hpp"

namespace limrisk::cli {
namespace {

namespace opt = limrisk::optimum;

struct HierarchyCommand {
    CampaignOptions campaign;
    BackendChoice backend;
    SearchOptions search;
    std::int64_t width = 0;
    double tolerance = opt::classification_tolerance;
    bool json = false, again = false;
};

/// Where the trials of one cell ended.
struct CellCounts {
    CellConfig cell;
    double absolute = 0;                 ///< what is added to the relative tolerance of every level
    std::vector<std::int64_t> on_level;  ///< [levels]
    std::int64_t on_none = 0, trials = 0, ended_early = 0;
    bool under_rule = false;  ///< a stopping rule chose the number of trials
};

std::vector<CellCounts> count_trials(const HierarchyCommand& command, const opt::Problem& problem, const std::vector<opt::Level>& levels) {
    std::vector<CellCounts> counts;
    if (command.search.store.empty()) return counts;
    const Store store = Store::open(command.search.store);
    if (store.contents() != StoreContents::Trials) {
        note(fmt::format("limrisk: {0} has only summaries: `limrisk summary {0} --json` and the report bound the trials at each level\n",
                         command.search.store));
        return counts;
    }
    for (const CellConfig& stored : store.cells()) {
        CellCounts count{stored, 0, std::vector<std::int64_t>(levels.size())};
        if (count.cell.width != command.width || !count.cell.trains_all() || opt::problem_of(count.cell).id != problem.id) continue;
        count.absolute = zero_risk(moments_at_checks(count.cell));
        count.under_rule = store.stopping().has_value();
        for_each_counted_trial(store, stored.index, [&](std::int64_t, const TrialRecord& record) {
            ++count.trials;
            count.ended_early += ended_early(stored, record);
            const auto level = opt::classify(levels, record.final_risk, count.absolute, command.tolerance);
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
                                    {"", "local minimum", 0, true}};
    bool evidence = false;
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
                                     level.certificate.certified  ? "certified"
                                     : level.certificate.evidence ? "evidence"
                                                                  : "NO"};
        evidence = evidence || (level.certificate.evidence && !level.certificate.certified);
        add_row(columns, cells);
    }
    return fmt::format("{}: levels of width {}\n", problem.label, width) + TextTable(std::move(columns), 100).text() +
           (evidence ? "evidence: gradient 0, no negative eigenvalue of the Hessian; no proof of a local minimum\n" : "");
}

std::string counts_text(const CellCounts& count, double tolerance) {
    std::vector<TextColumn> columns{{"", "level"}, {"", "trials"}, {"", "share"}, {"95 % interval", "from"}, {"95 % interval", "to"}};
    const auto add = [&](const std::string& name, std::int64_t trials) {
        const Interval interval = share_interval(trials, count.trials, count.under_rule);
        const double share = count.trials > 0 ? static_cast<double>(trials) / static_cast<double>(count.trials) : 0;
        const std::string cells[] = {name, std::to_string(trials), fmt::format("{:.2f} %", 100 * share),
                                     fmt::format("{:.2f} %", 100 * interval.low), fmt::format("{:.2f} %", 100 * interval.high)};
        add_row(columns, cells);
    };
    for (std::size_t i = 0; i < count.on_level.size(); ++i)
        if (count.on_level[i] > 0) add(std::to_string(i), count.on_level[i]);
    add("none", count.on_none);
    std::vector<std::string> parts = cell_phrases(count.cell);
    parts.front() = fmt::format("cell {}: {}", count.cell.index, parts.front());
    parts.push_back(fmt::format("{} trials; final risk within {:g} of a level, plus {:.3g}", count.trials, tolerance, count.absolute));
    std::string text = "\n" + wrapped(parts, 100) + TextTable(std::move(columns), 100).text();
    if (count.ended_early > 0)
        text += wrapped({fmt::format("`stop` ended {} of {} before step {}", grouped_digits(count.ended_early),
                                     counted(count.trials, "trial"), grouped_digits(count.cell.steps)),
                         "their final risk is that of their own last step", "with more steps they might be on a level, or on another"},
                        100);
    return text;
}

nlohmann::ordered_json as_json(const opt::Problem& problem, std::int64_t width, const std::vector<opt::Level>& levels,
                               const std::vector<CellCounts>& counts, double tolerance) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array(), cells = nlohmann::ordered_json::array();
    for (const opt::Level& level : levels) rows.push_back(opt::to_json(level));
    for (const CellCounts& count : counts) {
        cells.push_back({{"cell", count.cell.index},
                         {"trials", count.trials},
                         {"absolute_tolerance", count.absolute},
                         {"on_level", count.on_level},
                         {"on_none", count.on_none}});
        if (count.cell.stop.any()) cells.back()["ended_early"] = count.ended_early;
    }
    return {{"problem", nlohmann::ordered_json::parse(problem.description)},
            {"width", width},
            {"levels", rows},
            {"tolerance", tolerance},
            {"cells", cells}};
}

/// A problem and its levels, once they are known.
struct ProblemLevels {
    opt::Problem problem;
    std::optional<std::vector<opt::Level>> levels;
    std::vector<opt::Optimum> optima;  ///< stored ones
};

void read_stored(const HierarchyCommand& command, std::vector<ProblemLevels>& problems) {
    if (command.search.store.empty() || !std::filesystem::exists(command.search.store)) return;
    const Store store = Store::open(command.search.store);
    for (ProblemLevels& one : problems) {
        one.optima.clear();
        for (const StoredDocument& document : store.documents(document_kind::optimum))
            if (document.id == one.problem.id) one.optima.push_back(opt::optimum_from_json(document.text));
        if (command.again) continue;
        // A catalogue from before a better optimum was stored is left out, as everywhere.
        const KnownOptima known(store);
        const auto& catalogs = known.of(one.problem).catalogs;
        if (const auto found = catalogs.find(command.width); found != catalogs.end()) one.levels = found->second;
    }
}

/// Searches what is not stored. Each catalogue is stored as it is found, and so are the optima on the way to it. An exit code if a signal
/// stopped it.
std::optional<ExitCode> search(const HierarchyCommand& command, const Campaign& campaign, std::vector<ProblemLevels>& problems) {
    if (std::ranges::all_of(problems, [](const ProblemLevels& one) { return one.levels.has_value(); })) return std::nullopt;
    SearchSession session(command.search, campaign, static_cast<std::int64_t>(problems.size()), command.json);
    read_stored(command, problems);  // anew: nobody else writes from now on
    const bool trains = !std::ranges::all_of(problems, [](const ProblemLevels& one) { return opt::has_kink_search(one.problem); });
    const std::unique_ptr<Backend> backend = make_backend(command.backend, campaign.cells, command.json || !trains);
    for (ProblemLevels& one : problems) {
        const auto done = [&](const opt::Optimum& found) { session.keep(document_of(one.problem, found)); };
        try {
            if (!one.levels) {
                one.levels = opt::find_levels(one.problem, command.width, *backend, {}, session.control(one.problem, done),
                                              leading_optima(one.optima));
                session.keep({document_kind::levels, one.problem.id, command.width, one.problem.description,
                              opt::levels_to_json(*one.levels), "", ""});
            }
        } catch (const opt::SearchStopped&) {
            return session.stopped();
        }
        session.next_problem();
    }
    session.finish();
    return std::nullopt;
}

ExitCode hierarchy(const HierarchyCommand& command) {
    const Campaign campaign = load(command.campaign);
    check_problems(campaign);
    if (std::ranges::any_of(campaign.cells, [](const CellConfig& cell) { return cell.has_data(); }))
        throw Error(
            ExitCode::Usage,
            "problem.data: the hierarchy of local minima is not computed for data points; `limrisk optimum` finds the best known risks");
    std::vector<ProblemLevels> problems;
    for (opt::ProblemWidth& one : searched_problems(campaign)) problems.push_back({std::move(one.problem), std::nullopt, {}});
    read_stored(command, problems);
    if (const std::optional<ExitCode> stopped = search(command, campaign, problems)) return *stopped;
    std::string text, failures;
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const ProblemLevels& one : problems) {
        const std::vector<CellCounts> counts = count_trials(command, one.problem, *one.levels);
        text += (text.empty() ? "" : "\n") + levels_text(one.problem, command.width, *one.levels);
        for (const CellCounts& count : counts) text += counts_text(count, command.tolerance);
        all.push_back(as_json(one.problem, command.width, *one.levels, counts, command.tolerance));
        for (const opt::Level& level : *one.levels)
            if (!level.certificate.evidence)
                failures +=
                    fmt::format("WARNING: {}: the level {:.12g} {}\n", one.problem.label, level.risk,
                                opt::has_kink_search(one.problem) ? "is not certified as a local minimum"
                                                                  : "may be no local minimum: the checks of docs/optimum.md failed");
    }
    print(command.json ? all.dump(2) + "\n" : text);
    note(failures);
    return ExitCode::Done;
}

}  // namespace

void add_hierarchy(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    const auto options = std::make_shared<HierarchyCommand>();
    options->search.words = words;
    CLI::App* command = app.add_subcommand("hierarchy",
                                           "list levels of the risk of a width: local minima, certified (d = 1, ReLU) or with evidence; "
                                           "with --store, count the trials at each");
    add_campaign_options(*command, options->campaign);
    command->add_option("--width", options->width, "width of the networks")
        ->type_name("H")
        ->required()
        ->transform(whole_number(0, opt::largest_searched_width));
    command->add_option("--store", options->search.store, "count the trials of this store at each level, and save the levels in it")
        ->type_name("FILE");
    command
        ->add_option("--tolerance", options->tolerance,
                     "a trial is at a level if its final risk differs by at most this part of the level, plus 1e-10 of the target's scale")
        ->type_name("T")
        ->check(decimal_number(0, 1))
        ->capture_default_str();
    add_search_options(*command, options->search);
    command->add_flag("--again", options->again, "search again even if the levels are stored");
    command->add_flag("--json", options->json, "as JSON, with all parameters");
    add_backend_options(*command, options->backend);
    command->footer(examples({"limrisk hierarchy campaign.toml --width 2 --seconds 30",
                              "limrisk hierarchy campaign.toml --width 2 --store campaign.db --again"}));
    command->callback([&action, options] { action = [options] { return hierarchy(*options); }; });
}

}  // namespace limrisk::cli
