// limrisk hierarchy: the levels of the risk of one width, what is known of each, and how many trials of a store ended on each.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "analysis/cell_axes.hpp"
#include "analysis/early_ends.hpp"
#include "analysis/known_optima.hpp"
#include "analysis/level_bins.hpp"
#include "analysis/theory_scan.hpp"
#include "cli/backend_choice.hpp"
#include "cli/campaign_options.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/search_session.hpp"
#include "driver/problem_check.hpp"
#include "optimum/data_levels.hpp"
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

/// A number of trials; of summaries, whose bins may lie across the end of a level, bounds of it.
struct TrialBounds {
    std::int64_t least = 0, most = 0;
    void add() { ++least, ++most; }
};

/// Where the trials of one cell ended.
struct CellCounts {
    CellConfig cell;
    double absolute = 0;                ///< what is added to the relative tolerance of every level
    std::vector<TrialBounds> on_level;  ///< [levels]
    TrialBounds on_none = {};
    std::int64_t trials = 0;
    std::optional<std::int64_t> ended_early = std::nullopt;  ///< summaries do not tell
    bool under_rule = false;                                 ///< a stopping rule chose the number of trials
};

void count_sums(const Store& store, CellCounts& count, const std::vector<opt::Level>& levels, double tolerance) {
    const std::vector<StoredAggregate> parts = store.aggregates(count.cell.index);
    if (parts.empty() || parts.front().key.first_trial != 0) return;
    const Aggregate& aggregate = parts.front().aggregate;
    count.trials = aggregate.trials;
    const LevelStatement statement = binned_levels(aggregate.final_risk, count.trials, levels, count.absolute, tolerance);
    for (std::size_t i = 0; i < levels.size(); ++i) count.on_level[i] = {statement.levels[i].trials, statement.levels[i].trials_most};
    count.on_none = {statement.on_none, statement.on_none_most};
}

void count_records(const Store& store, CellCounts& count, const std::vector<opt::Level>& levels, double tolerance) {
    count.ended_early = 0;
    for_each_counted_trial(store, count.cell.index, [&](std::int64_t, const TrialRecord& record) {
        ++count.trials;
        *count.ended_early += ended_early(count.cell, record);
        const auto level = opt::classify(levels, record.final_risk, count.absolute, tolerance);
        (level ? count.on_level[*level] : count.on_none).add();
    });
}

std::vector<CellCounts> count_trials(const HierarchyCommand& command, const opt::Problem& problem, const std::vector<opt::Level>& levels) {
    std::vector<CellCounts> counts;
    if (command.search.store.empty()) return counts;
    const Store store = Store::open(command.search.store);
    for (const CellConfig& stored : store.cells()) {
        CellCounts count{stored, 0, std::vector<TrialBounds>(levels.size())};
        if (count.cell.width != command.width || !count.cell.trains_all() || opt::problem_of(count.cell).id != problem.id) continue;
        count.absolute = zero_risk(moments_at_checks(count.cell));
        count.under_rule = store.stopping().has_value();
        (store.contents() == StoreContents::Trials ? count_records : count_sums)(store, count, levels, command.tolerance);
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
           (!evidence ? ""
            : opt::has_pattern_search(problem)
                ? "evidence: a kink or a sign is within rounding of where it decides; no proof of a local minimum\n"
                : "evidence: gradient 0, no negative eigenvalue of the Hessian; no proof of a local minimum\n");
}

std::string counts_text(const CellCounts& count, double tolerance) {
    std::vector<TextColumn> columns{{"", "level"}, {"", "trials"}, {"", "share"}, {"95 % interval", "from"}, {"95 % interval", "to"}};
    const auto share = [&](std::int64_t trials) {
        return fmt::format("{:.2f}", 100 * static_cast<double>(trials) / static_cast<double>(count.trials));
    };
    const auto add = [&](const std::string& name, const TrialBounds& trials) {
        const bool known = trials.least == trials.most;
        const Interval low = share_interval(trials.least, count.trials, count.under_rule),
                       high = share_interval(trials.most, count.trials, count.under_rule);
        const std::string cells[] = {name, std::to_string(trials.least) + (known ? "" : fmt::format(" to {}", trials.most)),
                                     share(trials.least) + (known ? "" : " to " + share(trials.most)) + " %",
                                     fmt::format("{:.2f} %", 100 * low.low), fmt::format("{:.2f} %", 100 * high.high)};
        add_row(columns, cells);
    };
    for (std::size_t i = 0; i < count.on_level.size(); ++i)
        if (count.on_level[i].most > 0) add(std::to_string(i), count.on_level[i]);
    if (count.trials == 0)
        add_row(columns, std::vector<std::string>{"-", "0", "-", "-", "-"});
    else
        add("none", count.on_none);
    std::vector<std::string> parts = cell_phrases(count.cell);
    parts.front() = fmt::format("cell {}: {}", count.cell.index, parts.front());
    parts.push_back(
        fmt::format("{}; final risk within {:g} of a level, plus {:.3g}", counted(count.trials, "trial"), tolerance, count.absolute));
    std::string text = "\n" + wrapped(parts, 100) + TextTable(std::move(columns), 100).text();
    if (!count.ended_early && count.cell.stop.any())
        text += wrapped({fmt::format("`stop` may have ended some of them before step {}: summaries do not tell how many",
                                     grouped_digits(count.cell.steps)),
                         "the final risk of such a trial is that of its own last step"},
                        100);
    if (count.ended_early.value_or(0) > 0)
        text += wrapped({fmt::format("`stop` ended {} of {} before step {}", grouped_digits(*count.ended_early),
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
        std::vector<std::int64_t> least, most;
        for (const TrialBounds& bounds : count.on_level) least.push_back(bounds.least), most.push_back(bounds.most);
        cells.push_back({{"cell", count.cell.index},
                         {"trials", count.trials},
                         {"absolute_tolerance", count.absolute},
                         {"on_level", least},
                         {"on_none", count.on_none.least}});
        if (!count.ended_early) {  // of summaries these are bounds
            cells.back()["on_level_most"] = most;
            cells.back()["on_none_most"] = count.on_none.most;
        }
        if (count.cell.stop.any())
            cells.back()["ended_early"] = count.ended_early ? nlohmann::ordered_json(*count.ended_early) : nlohmann::ordered_json();
    }
    return {{"problem", nlohmann::ordered_json::parse(problem.description)},
            {"width", width},
            {"levels", rows},
            {"tolerance", tolerance},
            {"cells", cells}};
}

/// Whether the search is for all local minima, and trains nothing.
bool finds_minima(const opt::Problem& problem) { return opt::has_kink_search(problem) || opt::has_pattern_search(problem); }

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
    const bool trains = !std::ranges::all_of(problems, [](const ProblemLevels& one) { return finds_minima(one.problem); });
    if (!trains) note_unused(command.search, command.backend);
    const std::unique_ptr<Backend> backend = make_backend(command.backend, campaign.cells, command.json || !trains);
    for (ProblemLevels& one : problems) {
        const auto done = [&](const opt::Optimum& found) { session.keep(document_of(one.problem, found)); };
        try {
            if (!one.levels) {
                one.levels = opt::find_levels(one.problem, command.width, *backend, {}, session.control(!finds_minima(one.problem), done),
                                              leading_optima(one.optima));
                session.keep({document_kind::levels, one.problem.id, command.width, one.problem.description,
                              opt::levels_to_json(*one.levels), "", ""});
            }
        } catch (const opt::SearchStopped&) {
            return session.stopped();
        } catch (const Error& error) {  // of others the levels may be known
            if (error.code() != ExitCode::Usage || problems.size() == 1) throw;
            note(fmt::format("limrisk: left out: {}: {}\n", one.problem.label, error.what()));
        }
        session.next_problem();
    }
    session.finish();
    return std::nullopt;
}

ExitCode hierarchy(const HierarchyCommand& command) {
    const Campaign campaign = load(command.campaign);
    check_problems(campaign);
    std::vector<ProblemLevels> problems;
    for (opt::ProblemWidth& one : searched_problems(campaign)) problems.push_back({std::move(one.problem), std::nullopt, {}});
    read_stored(command, problems);
    if (const std::optional<ExitCode> stopped = search(command, campaign, problems)) return *stopped;
    std::erase_if(problems, [](const ProblemLevels& one) { return !one.levels; });
    if (problems.empty()) throw Error(ExitCode::Usage, "no problem of this campaign has levels that can be searched; each is named above");
    std::string text, failures;
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const ProblemLevels& one : problems) {
        const std::vector<CellCounts> counts = count_trials(command, one.problem, *one.levels);
        text += (text.empty() ? "" : "\n") + levels_text(one.problem, command.width, *one.levels);
        for (const CellCounts& count : counts) text += counts_text(count, command.tolerance);
        all.push_back(as_json(one.problem, command.width, *one.levels, counts, command.tolerance));
        for (const opt::Level& level : *one.levels)
            if (!level.certificate.evidence)
                failures += fmt::format("WARNING: {}: the level {:.12g} {}\n", one.problem.label, level.risk,
                                        finds_minima(one.problem) ? "is not certified as a local minimum"
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
    CLI::App* command =
        app.add_subcommand("hierarchy",
                           "list levels of the risk of a width: local minima, certified (d = 1, ReLU; data points, too) or with evidence; "
                           "with --store, count the trials at each");
    add_campaign_options(*command, options->campaign);
    command->add_option("--width", options->width, "width of the networks")
        ->type_name("H")
        ->required()
        ->transform(whole_number(0, opt::largest_searched_width));
    CLI::Option* store =
        command->add_option("--store", options->search.store, "count the trials of this store at each level, and save the levels in it")
            ->type_name("FILE");
    command
        ->add_option("--tolerance", options->tolerance,
                     "a trial is at a level if its final risk differs by at most this part of the level, plus 1e-10 of the target's scale")
        ->type_name("T")
        ->check(decimal_number(0, 1))
        ->needs(store)
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
