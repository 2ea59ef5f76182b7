// Exports hold every bit of the store, whatever reads them; files appear whole or not at all.
#include "report/export.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "analysis/cell_axes.hpp"
#include "limrisk/trial_fields.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class ExportTest : public StoreTest {
protected:
    /// Two cells with a gap between their blocks.
    Store make_store() {
        Campaign campaign = small_campaign(1000, 1);
        campaign.cells[0].activation = {kernels::ActivationKind::Clipping, -1, 1, 0};  // its label has a comma
        finish(campaign.cells[0]);
        Store store = Store::open_for_writing(path(), campaign);
        for (const BlockKey& key : {BlockKey{0, 0, 300}, BlockKey{0, 400, 33}, BlockKey{1, 0, 1}, BlockKey{1, 1, 64}})
            store.write_block(key, records_of(key));
        return store;
    }
};

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields{""};
    bool quoted = false;
    for (const char character : line) {
        if (character == '"')
            quoted = !quoted;
        else if (character == ',' && !quoted)
            fields.emplace_back();
        else
            fields.back() += character;
    }
    return fields;
}

TEST_F(ExportTest, CsvHoldsEveryBit) {
    const Store store = make_store();
    EXPECT_EQ(export_store(store, ExportFormat::Csv, path("out.csv")), 398);
    std::ifstream file(path("out.csv"));
    std::string line;
    ASSERT_TRUE(std::getline(file, line));
    const std::vector<std::string> heads = split(line);
    int rows = 0;
    while (std::getline(file, line)) {
        ++rows;
        const std::vector<std::string> fields = split(line);
        ASSERT_EQ(fields.size(), heads.size());
        std::map<std::string, std::string> row;
        for (std::size_t k = 0; k < heads.size(); ++k) row[heads[k]] = fields[k];
        EXPECT_EQ(row["activation"], row["cell"] == "0" ? "clipping(-1, 1)" : "relu");
        EXPECT_EQ(row["optimizer"], row["cell"] == "0" ? "sgd(0.05)" : "adam(0.01)");
        EXPECT_EQ(row["width"], "1");
        EXPECT_EQ(row["counted"], row["cell"] == "1" || std::stoll(row["trial"]) < 300 ? "1" : "0") << "what follows a gap does not count";
        const TrialRecord right = record_of(std::stoll(row["cell"]), std::stoll(row["trial"]));
        EXPECT_EQ(row["verdict"], verdict_name(right.verdict));
        EXPECT_EQ(std::stoull(row["fingerprint"], nullptr, 16), right.fingerprint);
        EXPECT_EQ(std::stoll(row["best_step"]), right.best_step);
        EXPECT_EQ(std::stol(row["kinked"]), right.kinked);
        for (const TrialField& field : trial_fields) {
            if (field.type != FieldType::Float64) continue;
            double value = 0;
            std::memcpy(&value, reinterpret_cast<const char*>(&right) + field.offset, sizeof value);
            const double read = std::strtod(row[field.name].c_str(), nullptr);
            EXPECT_EQ(std::memcmp(&read, &value, sizeof value), 0) << field.name << ": " << row[field.name];
        }
    }
    EXPECT_EQ(rows, 398);
}

TEST_F(ExportTest, OtherProgramsReadTheSameBits) {
    if (std::system("python3 -c 'import sqlite3' >/dev/null 2>&1") != 0) GTEST_SKIP() << "needs python3 with sqlite3";
    {
        const Store store = make_store();
        for (const char* format : {"csv", "json", "npz"}) {
            EXPECT_EQ(export_store(store, parse_export_format(format), path(std::string("out.") + format)), 398);
        }
    }
    const std::string command = "python3 " LIMRISK_EXPORT_CHECK " " + path().string() + " " + path("out.csv").string() + " " +
                                path("out.json").string() + " " + path("out.npz").string() + " " LIMRISK_FORMATS;
    EXPECT_EQ(std::system(command.c_str()), 0);
}

/// The meanings that an export gives to its fields hold for the trials that `stop` ended, too.
TEST_F(ExportTest, FieldsSayWhatTheyAreOfTrialsThatEndedEarly) {
    const auto fields = [&](bool stop) {
        Campaign campaign = small_campaign(8, 1);
        if (stop) campaign.cells[1].stop.risk_below = 0.5;
        finish(campaign.cells[1]);
        const std::string name = stop ? "stop" : "whole";
        Store store = Store::open_for_writing(path(name + ".db"), campaign);
        store.write_block({0, 0, 8}, records_of({0, 0, 8}));
        export_store(store, ExportFormat::Json, path(name + ".json"));
        std::ifstream file(path(name + ".json"));
        return nlohmann::json::parse(file)["fields"];
    };
    const nlohmann::json whole = fields(false), stop = fields(true);
    for (const TrialField& field : trial_fields) {
        const std::string name = field.name, text = stop[name];
        const bool other = name.starts_with("tail_") || name == "displacement";
        EXPECT_EQ(whole[name], field.meaning);
        EXPECT_EQ(text.starts_with(field.meaning), true);
        EXPECT_EQ(text.find("of a trial that `stop` ended") != std::string::npos, other) << text;
    }
    EXPECT_TRUE(stop.contains("last_step"));
}

/// docs/formats.md names the parameters of a cell, in the order of the columns.
TEST(ExportDocumentation, NamesTheParametersOfACell) {
    std::ifstream file(LIMRISK_FORMATS);
    std::string text((std::istreambuf_iterator<char>(file)), {}), names;
    std::replace(text.begin(), text.end(), '\n', ' ');
    for (const Axis& axis : cell_axes(CellConfig{})) names += fmt::format("{}`{}`", names.empty() ? "" : ", ", axis.name);
    EXPECT_NE(text.find(names), std::string::npos) << names;
}

/// Reads the three exports with the standard library and compares with the trials that count in each of two cells.
constexpr const char* counted_check = R"py(import csv, json, struct, sys, zipfile

def array(name):
    raw = zipfile.ZipFile("out.npz").read(name + ".npy")
    start = 10 + struct.unpack("<H", raw[8:10])[0]
    descr = eval(raw[10:start])["descr"]
    body = raw[start:]
    if descr[1] == "U":
        size = 4 * int(descr[2:])
        return [body[k:k + size].decode("utf-32-le").rstrip("\0") for k in range(0, len(body), size)]
    letter = {"<i4": "i", "<i8": "q", "<u8": "Q", "<f8": "d", "|b1": "?"}[descr]
    return list(struct.unpack(f"<{len(body) // struct.calcsize(letter)}{letter}", body))

def check(name, ours, right):
    if ours != right:
        sys.exit(f"{name}: {ours}, not {right}")

right = [int(count) for count in sys.argv[1:]]
count = lambda pairs: [sum(1 for cell, counts in pairs if int(cell) == k and counts) for k in (0, 1)]
check("csv", count([(row["cell"], row["counted"] == "1") for row in csv.DictReader(open("out.csv"))]), right)
check("json", count([(row["cell"], row["counted"] is True) for row in json.load(open("out.json"))["trials"]]), right)
check("npz", count(list(zip(array("cell"), array("counted")))), right)
for name, values in {"batch": [32, 32], "sampling": ["fresh", "fresh"], "seed": [1, 1], "tolerance": [1e-3, 1e-3], "check_nodes": [128, 128],
                     "final_nodes": [0, 0], "optimizer": ["sgd(0.05)", "adam(0.01)"], "precision": ["float32", "float32"]}.items():
    check(name, array("cell_" + name), values)
)py";

TEST_F(ExportTest, UnderARuleTheTrialsThatCountAreMarked) {
    Campaign campaign = small_campaign(1000, 1);
    campaign.until = StoppingCriterion{StoppingCriterion::Until::Events, StoppingCriterion::Event::Diverged, 1000, 0, 7, 0};
    Store store = Store::open_for_writing(path(), campaign);
    for (const BlockKey& key : {BlockKey{0, 0, 300}, BlockKey{1, 0, 64}, BlockKey{1, 100, 5}}) store.write_block(key, records_of(key));
    std::string right;
    for (std::int64_t cell = 0; cell < 2; ++cell) {
        std::int64_t diverged = 0, counted = 0;
        for (; counted < (cell == 0 ? 300 : 64) && diverged < 7; ++counted)
            diverged += record_of(cell, counted).verdict == Verdict::Diverged ? 1 : 0;
        EXPECT_EQ(diverged, 7) << "the rule would not end the cell";
        right += fmt::format(" {}", counted);
    }
    for (const char* format : {"csv", "json", "npz"}) export_store(store, parse_export_format(format), path(std::string("out.") + format));
    std::ofstream(path("check.py")) << counted_check;
    EXPECT_EQ(std::system(("cd " + path().parent_path().string() + " && python3 check.py" + right).c_str()), 0);
}

TEST_F(ExportTest, FilesAreWholeOrAbsent) {
    const Store store = make_store();
    export_store(store, ExportFormat::Csv, path("out.csv"));
    const auto error = [&](const fs::path& where) {
        try {
            export_store(store, ExportFormat::Npz, where);
        } catch (const Error& failure) {
            EXPECT_EQ(failure.code(), ExitCode::InputOutput);
            return std::string(failure.what());
        }
        return std::string("no error");
    };
    EXPECT_THAT(error(path("out.csv")), HasSubstr("--force"));
    EXPECT_THAT(error(path("no/such/out.npz")), HasSubstr("No such file"));
    EXPECT_THAT(error(path().parent_path()), HasSubstr("not a regular file"));
    EXPECT_THAT(error("/dev/full"), HasSubstr("No space left"));
    EXPECT_EQ(export_store(store, ExportFormat::Npz, path("out.csv"), true), 398);
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path().parent_path())) names.insert(entry.path().filename());
    EXPECT_THAT(names, ::testing::IsSupersetOf({"out.csv", "store.db"}));
    for (const std::string& name : names) EXPECT_THAT(name, ::testing::Not(HasSubstr(".tmp")));
}

TEST_F(ExportTest, UnknownFormatsAreNamed) {
    try {
        parse_export_format("xlsx");
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::Usage);
        EXPECT_THAT(error.what(), HasSubstr("csv, json and npz"));
    }
}

TEST_F(ExportTest, AnEmptyStoreExportsHeads) {
    const Store store = Store::open_for_writing(path(), small_campaign());
    for (const char* format : {"csv", "json", "npz"}) EXPECT_EQ(export_store(store, parse_export_format(format), path(format)), 0);
    std::ifstream file(path("csv"));
    std::stringstream text;
    text << file.rdbuf();
    const std::string csv = text.str();
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1);
}

/// Of a store of summaries the histograms: their bins count every trial, and hold its risk.
TEST_F(ExportTest, SummariesExportTheirHistograms) {
    Campaign campaign = summarized(small_campaign(1000, 1));
    campaign.cells[0].activation = {kernels::ActivationKind::Clipping, -1, 1, 0};
    finish(campaign.cells[0]);
    Store store = Store::open_for_writing(path(), campaign);
    for (const BlockKey& key : {BlockKey{0, 0, 300}, BlockKey{0, 400, 33}, BlockKey{1, 0, 65}}) write_aggregate(store, key);

    EXPECT_EQ(export_store(store, ExportFormat::Csv, path("out.csv")), 398);
    std::ifstream file(path("out.csv"));
    std::string line;
    ASSERT_TRUE(std::getline(file, line));
    const std::vector<std::string> heads = split(line);
    std::map<std::string, std::int64_t> totals;
    while (std::getline(file, line)) {
        const std::vector<std::string> fields = split(line);
        ASSERT_EQ(fields.size(), heads.size());
        std::map<std::string, std::string> row;
        for (std::size_t k = 0; k < heads.size(); ++k) row[heads[k]] = fields[k];
        EXPECT_EQ(row["activation"], row["cell"] == "0" ? "clipping(-1, 1)" : "relu");
        totals[row["cell"] + " " + row["first_trial"] + " " + row["trials"] + " " + row["statistic"]] += std::stoll(row["count"]);
        EXPECT_EQ(row["counted"], row["first_trial"] == "0" ? "1" : "0");
        if (row["statistic"] != "final_risk") continue;
        std::int64_t within = 0;
        for (const TrialRecord& record : records_of({std::stoll(row["cell"]), std::stoll(row["first_trial"]), std::stoll(row["trials"])})) {
            const auto end = [](const std::string& text) { return text == "inf" ? HUGE_VAL : std::strtod(text.c_str(), nullptr); };
            within += end(row["bin_low"]) <= record.final_risk && record.final_risk <= end(row["bin_high"]) ? 1 : 0;
        }
        EXPECT_EQ(within, std::stoll(row["count"])) << line;
    }
    EXPECT_EQ(totals.size(), 3 * (count_fields.size() + risk_fields.size()));
    EXPECT_EQ(totals["0 400 33 tail_minimum"], 33);
    EXPECT_EQ(totals["1 0 65 inactive_maximum"], 65);

    EXPECT_EQ(export_store(store, ExportFormat::Json, path("out.json")), 398);
    std::ifstream text(path("out.json"));
    const nlohmann::json json = nlohmann::json::parse(text);
    EXPECT_EQ(json["format"], "limrisk-aggregates");
    ASSERT_EQ(json["aggregates"].size(), 3u);
    const Aggregate right = aggregate_of({0, 400, 33});
    EXPECT_EQ(json["aggregates"][1]["first_trial"], 400);
    EXPECT_EQ(json["aggregates"][1]["verdict"]["count"], right.verdict.counts);
    EXPECT_EQ(json["aggregates"][1]["died"], right.died);
    EXPECT_EQ(json["aggregates"][1]["best_risk"]["count"], right.best_risk.bins.counts);
    EXPECT_EQ(json["aggregates"][1]["best_risk"]["minimum"]["trial"], right.best_risk.minimum.trial);

    EXPECT_THAT(store_error([&] { export_store(store, ExportFormat::Npz, path("out.npz")); }),
                ::testing::Pair(65, HasSubstr("csv and json")));
    EXPECT_FALSE(fs::exists(path("out.npz")));
}

}  // namespace
}  // namespace limrisk::testing
