// Lock, signals, progress and storing of a search.
#include "cli/search_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/shell_words.hpp"
#include "optimum/optimum_json.hpp"
#include "optimum/problem.hpp"
#include "store/store.hpp"

namespace limrisk::cli {

namespace opt = limrisk::optimum;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Of one problem: wider networks take longer.
double share_done(const opt::SearchProgress& progress) {
    const auto upto = [](double width) { return width * (width + 1) / 2; };
    const auto width = static_cast<double>(progress.width);
    return (upto(width) + progress.share * (width + 1)) / upto(static_cast<double>(progress.largest) + 1);
}

bool shares_a_problem(const Store& store, const Campaign& campaign) {
    std::set<std::string> ids;
    for (const CellConfig& stored : store.cells()) ids.insert(opt::problem_of(stored).id);
    return std::ranges::any_of(campaign.cells, [&](const CellConfig& cell) { return ids.contains(opt::problem_of(cell).id); });
}

}  // namespace

void add_search_options(CLI::App& command, SearchOptions& options) {
    options.seconds_given =
        command
            .add_option("--seconds", options.seconds,
                        "approximate time limit in seconds per problem (not for d = 1 with ReLU, which has its own search)")
            ->type_name("S")
            ->check(decimal_number(0.001, 1e9))
            ->capture_default_str();
}

void note_unused(const SearchOptions& options, const BackendChoice& backend) {
    std::vector<std::string> given;
    if (options.seconds_given->count() > 0) given.emplace_back("--seconds");
    if (backend.name != "auto") given.emplace_back("--backend");
    if (!backend.devices.empty()) given.emplace_back("--devices");
    if (backend.threads > 0) given.emplace_back("--threads");
    if (!given.empty())
        note(fmt::format("limrisk: {} {} no effect: for these problems the search ends by itself, and trains nothing\n",
                         fmt::join(given, ", "), given.size() == 1 ? "has" : "have"));
}

std::vector<opt::ProblemWidth> searched_problems(const Campaign& campaign) {
    std::vector<CellConfig> searched;
    std::set<std::string> left_out;
    for (const CellConfig& cell : campaign.cells) {
        if (cell.has_searchable_optimum())
            searched.push_back(cell);
        else if (!cell.has_squared_loss())
            left_out.insert("problem.loss: optima and levels are searched for the loss \"squared\" only, not for " + cell.loss_label);
        else if (cell.has_own_points())
            left_out.insert("problem.data: every trial draws its own points, so there is no optimum that is that of all trials");
        else if (cell.skip)
            left_out.insert(
                "network.skip: optima and levels of networks with a skip connection are searched in dimension 1 only, with relu, and not "
                "for data points");
        else
            left_out.insert("network.outer_bias: optima and levels are searched for networks with an outer bias only");
    }
    const std::string text = fmt::format("{}", fmt::join(left_out, "\n"));
    if (searched.empty()) throw Error(ExitCode::Usage, text);
    if (!text.empty()) note(text + "\n");
    return opt::problems_of(searched);
}

std::vector<opt::Optimum> leading_optima(const std::vector<opt::Optimum>& optima) {
    std::vector<opt::Optimum> leading;
    for (const opt::Optimum& optimum : optima)
        if (optimum.width == static_cast<std::int64_t>(leading.size())) leading.push_back(optimum);
    return leading;
}

StoredDocument document_of(const opt::Problem& problem, const opt::Optimum& optimum) {
    return {document_kind::optimum, problem.id, optimum.width, problem.description, opt::to_json(optimum).dump(), "", ""};
}

SearchSession::SearchSession(const SearchOptions& options, const Campaign& campaign, std::int64_t problems, bool quiet)
    : options_(options), problems_(problems), quiet_(quiet) {
    const auto trains_some = [](const CellConfig& cell) { return cell.has_searchable_optimum() && !cell.trains_all(); };
    if (std::ranges::any_of(campaign.cells, trains_some))
        note(
            "the search is for networks all of whose parameters are free; cells with network.trainable may have other optima and "
            "levels\n");
    if (options.store.empty()) return;
    // Only makes it if it is not there: opening it for the campaign would ask for the campaign's number of trials.
    if (!std::filesystem::exists(options.store)) {
        (void)Store::open_for_writing(options.store, campaign);
    } else if (!shares_a_problem(Store::open(options.store), campaign)) {
        throw Error(ExitCode::Usage,
                    fmt::format("--store {}: the store has none of the campaign's problems (target, input law, activation), so the results "
                                "would not be used; `limrisk summary` shows its cells",
                                options.store));
    }
    writer_.emplace(options.store);
}

opt::SearchControl SearchSession::control(bool bounded, std::function<void(const opt::Optimum&)> done) {
    opt::SearchControl control;
    control.seconds = options_.seconds;
    control.done = std::move(done);
    control.stopped = [this] { return signals_.requests() > 0; };
    if (quiet_) return control;
    control.progress = [this, bounded](const opt::SearchProgress& progress) {
        const double elapsed = seconds_since(start_);
        constexpr double often_enough = 0.1;
        if (elapsed < shown_ + often_enough) return;
        shown_ = elapsed;
        const double share = (static_cast<double>(problem_) + share_done(progress)) / static_cast<double>(problems_);
        const double bound = static_cast<double>(problems_ - problem_) * options_.seconds - seconds_since(problem_start_);
        const double guess = share > 0 ? elapsed * (1 - share) / share : -1;
        const std::string left = bounded ? "at most " + clock_text(std::max(0.0, bound)) : clock_text(guess);
        display_.show(elapsed, share,
                      fmt::format(" {:3.0f} %  problem {}/{}  width {}/{}  {} left", 100 * share, problem_ + 1, problems_, progress.width,
                                  progress.largest, left));
    };
    return control;
}

void SearchSession::next_problem() {
    ++problem_;
    problem_start_ = std::chrono::steady_clock::now();
}

void SearchSession::keep(StoredDocument document) {
    if (!writer_) return;
    std::vector<StoredDocument> documents;
    documents.push_back(std::move(document));
    writer_->write(std::move(documents));
    ++kept_;
}

void SearchSession::say(const std::string& line) {
    display_.clear();
    note(line);
}

ExitCode SearchSession::stopped() {
    display_.finish();
    const int signal = signals_.first_signal();
    const std::string kept = writer_ ? fmt::format("{} results of this search are stored in {}", kept_, options_.store)
                                     : "no results are stored, since --store was not given";
    note(fmt::format("stopped by {}: {}\n{}", signal_name(signal), kept, how_to_continue(options_.words)));
    return signal_exit_code(signal);
}

}  // namespace limrisk::cli
