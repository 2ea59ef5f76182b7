// limrisk trajectories as typed: what it prints and keeps, what it refuses to believe, and that it stops and goes on.
#include <fmt/format.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "limrisk/error.hpp"
#include "program.hpp"
#include "store/document_table.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

class TrajectoriesTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        succeed({"run", "campaign.toml", "--quiet"});
    }
    std::vector<StoredDocument> documents(const std::string& store = "campaign.db") const {
        return Store::open(path(store)).documents(document_kind::trajectory);
    }
    /// The store with `change` made to the records of cell 1, all hashes right.
    void write_changed(const std::string& name, const std::function<void(std::vector<TrialRecord>&)>& change) const {
        const Campaign campaign = load_campaign(path("campaign.toml"));
        const Store right = Store::open(path("campaign.db"));
        Store wrong = Store::open_for_writing(path(name), campaign);
        for (const BlockKey& key : right.blocks()) {
            std::vector<TrialRecord> records = right.read_block(key);
            if (key.cell == 1) change(records);
            wrong.write_block(key, records);
        }
    }
};

TEST_F(TrajectoriesTest, PrintsTablesThatFitAndKeepsTheTrajectories) {
    const Output output = succeed({"trajectories", "campaign.db", "--csv", "all.csv", "--threads", "2"});
    EXPECT_THAT(output.err, HasSubstr("trajectories of 3 of 3 cells"));
    std::istringstream lines(output.out);
    int cells = 0, identities = 0;
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 100u) << line;
        cells += line.rfind("cell ", 0) == 0 ? 1 : 0;
        identities += line.rfind("Lyapunov identity: 1312 points", 0) == 0 ? 1 : 0;  // 32 trials, 41 steps
    }
    EXPECT_EQ(cells, 3);
    EXPECT_EQ(identities, 3);
    EXPECT_THAT(output.out, HasSubstr("70 trials"));
    EXPECT_THAT(output.out, HasSubstr("(12 of 41 steps; --csv and --json have all)"));
    const std::string csv = read("all.csv");
    EXPECT_THAT(csv,
                testing::StartsWith("cell,trials,step,quantity,mean,quantile_05,quantile_25,median,quantile_75,quantile_95\n0,70,0,risk,"));
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 3 * 41 * 5);

    const std::vector<StoredDocument> stored = documents();
    ASSERT_EQ(stored.size(), 3u);
    for (const StoredDocument& document : stored) {
        EXPECT_EQ(document.number, 0);
        EXPECT_EQ(json::parse(document.text).at("cell_id"), document.id);
        EXPECT_FALSE(json::parse(document.subject).empty());
    }
    EXPECT_EQ(succeed({"verify", "campaign.db"}).code, 0);

    // They are there now: nothing is computed, the same is printed.
    const Output again = succeed({"trajectories", "campaign.db"});
    EXPECT_EQ(again.err, "");
    EXPECT_EQ(again.out, output.out);
    EXPECT_THAT(succeed({"trajectories", "campaign.db", "--again"}).err, HasSubstr("trajectories of 3 of 3 cells"));
    // Other steps or trials are other trajectories, of the cells asked for only.
    EXPECT_THAT(succeed({"trajectories", "campaign.db", "--cell", "0", "2", "--trials", "8"}).err,
                HasSubstr("trajectories of 2 of 2 cells"));
    EXPECT_THAT(succeed({"trajectories", "campaign.db", "--trials", "8"}).err, HasSubstr("trajectories of 1 of 3 cells"));
}

TEST_F(TrajectoriesTest, JsonSaysTheSameAsReplay) {
    succeed({"run", "campaign.toml", "--quiet", "--set", "tracking.tail=1", "--store", "even.db"});  // checks at equal distances
    const json all =
        json::parse(succeed({"trajectories", "even.db", "--trials", "1", "--points", "5", "--spacing", "linear", "--json"}).out);
    EXPECT_EQ(all.at("format"), "limrisk-trajectories");
    EXPECT_EQ(all.at("format_version"), 1);
    ASSERT_EQ(all.at("cells").size(), 3u);
    const json& cell = all.at("cells")[2];
    EXPECT_EQ(cell.at("cell"), 2);
    EXPECT_EQ(cell.at("labels").at("width"), "8");
    EXPECT_EQ(cell.at("steps"), json({0, 10, 20, 30, 40}));  // where the campaign checks, too
    succeed({"replay", "even.db", "--cell", "2", "--trial", "0", "--csv", "replay.csv"});
    std::istringstream rows(read("replay.csv"));
    std::string row;
    std::getline(rows, row);
    for (std::size_t k = 0; k < 5; ++k) {
        std::getline(rows, row);
        std::istringstream values(row);
        std::vector<double> numbers;
        for (std::string value; std::getline(values, value, ',');) numbers.push_back(std::stod(value));
        EXPECT_EQ(cell.at("series")[0].at("name"), "risk");
        EXPECT_EQ(cell.at("series")[0].at("mean")[k].get<double>(), numbers[1]);
        EXPECT_EQ(cell.at("series")[1].at("median")[k].get<double>(), numbers[2]);
        EXPECT_EQ(cell.at("series")[2].at("quantile_05")[k].get<double>(), numbers[3]);
        EXPECT_EQ(cell.at("series")[4].at("quantile_95")[k].get<double>(), numbers[4]);
    }
}

TEST_F(TrajectoriesTest, ARecordThatIsNotReachedAgainIs70) {
    const struct {
        const char* field;
        std::function<void(TrialRecord&)> change;
    } changes[] = {{"fingerprint", [](TrialRecord& record) { record.fingerprint ^= 1; }},
                   {"final_risk", [](TrialRecord& record) { record.final_risk *= 1 + 1e-15; }},
                   {"gradient_norm", [](TrialRecord& record) { record.gradient_norm *= 1 + 1e-15; }},
                   {"parameter_norm", [](TrialRecord& record) { record.parameter_norm *= 1 + 1e-15; }},
                   {"inactive_final", [](TrialRecord& record) { ++record.inactive_final; }}};
    for (const auto& [field, change] : changes) {
        const std::string name = std::string(field) + ".db";
        write_changed(name, [&change = change](std::vector<TrialRecord>& records) { change(records.at(43)); });
        const Output output = limrisk({"trajectories", name});
        EXPECT_EQ(output.code, 70) << field;
        EXPECT_THAT(output.err, HasSubstr(fmt::format("cell 1, trial 43: {} is ", field)));
        EXPECT_THAT(output.err, HasSubstr("Nothing of this cell was stored"));
        EXPECT_EQ(output.out, "");
        EXPECT_EQ(documents(name).size(), 1u);  // cell 0
        // The first 43 trials are right.
        EXPECT_EQ(limrisk({"trajectories", name, "--trials", "43"}).code, 0);
    }
}

TEST_F(TrajectoriesTest, StoresOfSummariesAreCheckedAsFarAsTheyGo) {
    write("summary.toml", campaign_text(70, 40, "[1, 3, 8]", "store = \"summary\"\n"));
    succeed({"run", "summary.toml", "--quiet"});
    const Output output = succeed({"trajectories", "summary.db", "--json"});
    EXPECT_EQ(output.out, succeed({"trajectories", "campaign.db", "--json"}).out);
    // A summary of risks that are larger by one: its extremes cannot be those of the right ones.
    const Campaign campaign = load_campaign(path("summary.toml"));
    std::optional<Store> wrong(Store::open_for_writing(path("wrong.db"), campaign));
    for (const CellConfig& cell : wrong->cells()) {
        std::vector<TrialRecord> records;
        Store::open(path("campaign.db")).for_each_trial(cell.index, [&](std::int64_t, const TrialRecord& record) {
            records.push_back(record);
            records.back().final_risk += 1;
        });
        const StoredAggregate part{{cell.index, 0, 70}, aggregate_records(records.data(), 70, 0)};
        wrong->write_aggregates({&part, 1});
    }
    wrong.reset();  // and its lock
    const Output refused = limrisk({"trajectories", "wrong.db"});
    EXPECT_EQ(refused.code, 70);
    EXPECT_THAT(refused.err, HasSubstr("cell 0, trial "));
}

TEST_F(TrajectoriesTest, SaysWhatItCannotDo) {
    EXPECT_EQ(limrisk({"trajectories"}).code, 64);
    EXPECT_EQ(limrisk({"trajectories", "absent.db"}).code, 74);
    const Output cell = limrisk({"trajectories", "campaign.db", "--cell", "3"});
    EXPECT_EQ(cell.code, 64);
    EXPECT_THAT(cell.err, HasSubstr("cells 0 to 2"));
    for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--points", "1"}, {"--trials", "0"}, {"--spacing", "cubic"}}) {
        std::vector<std::string> words{"trajectories", "campaign.db"};
        words.insert(words.end(), wrong.begin(), wrong.end());
        EXPECT_EQ(limrisk(words).code, 64) << wrong[0];
    }
    // A campaign without trials yet.
    (void)Store::open_for_writing(path("empty.db"), load_campaign(path("campaign.toml")));
    const Output empty = succeed({"trajectories", "empty.db"});
    EXPECT_THAT(empty.err, HasSubstr("cell 2: no trials from 0 on are stored"));
    EXPECT_EQ(empty.out, "");
    // Another writer is found before anything is computed.
    const Store writer = Store::open_for_writing(path("campaign.db"), load_campaign(path("campaign.toml")));
    const Output busy = limrisk({"trajectories", "campaign.db"});
    EXPECT_EQ(busy.code, 75);
    EXPECT_THAT(busy.err, Not(HasSubstr("trajectories of")));
}

class TrajectorySignalTest : public ProgramTest, public testing::WithParamInterface<std::pair<int, int>> {};

TEST_P(TrajectorySignalTest, StopsAtOnceAndGoesOnWithTheNextCell) {
    const auto [signal, code] = GetParam();
    write("long.toml", campaign_text(64, 20000, "[1, 2, 400]"));
    succeed({"run", "long.toml", "--quiet"});
    std::filesystem::copy_file(path("long.db"), path("undisturbed.db"));
    Process process(directory(), {"limrisk", "trajectories", "long.db"});
    const auto stored = [&] { return Store::open(path("long.db")).documents(document_kind::trajectory).size(); };
    ASSERT_TRUE(eventually([&] { return !process.running() || stored() >= 2; }));
    const auto start = Clock::now();
    process.send(signal);
    const Output stopped = process.wait();
    EXPECT_LT(Clock::now() - start, 2s);
    EXPECT_EQ(stopped.code, code) << stopped.err;
    EXPECT_EQ(stopped.out, "");
    EXPECT_THAT(stopped.err, HasSubstr("the trajectories of 2 of 3 cells are stored in long.db"));
    EXPECT_EQ(stored(), 2u);
    const std::size_t advice = stopped.err.find("To continue: ");
    ASSERT_NE(advice, std::string::npos) << stopped.err;
    const Output again = shell(stopped.err.substr(advice + std::string_view("To continue: ").size()));
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.err, HasSubstr("trajectories of 1 of 3 cells"));
    EXPECT_EQ(again.out, succeed({"trajectories", "undisturbed.db"}).out);
}

INSTANTIATE_TEST_SUITE_P(Signals, TrajectorySignalTest, testing::Values(std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}),
                         [](const auto& parameter) { return parameter.param.first == SIGINT ? "SIGINT" : "SIGTERM"; });

}  // namespace
}  // namespace limrisk::test
