// What may go wrong with a store from outside: flipped bits, a full disk, a killed writer.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "store/aggregate_columns.hpp"
#include "store/document_table.hpp"
#include "store_fixture.hpp"
#include "synced_disk.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Pair;
namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void replace_contents(const fs::path& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.flush());
}

/// Everything that a reader can learn from a store.
std::string everything(const Store& store) {
    const StoredCampaign& campaign = store.campaign();
    std::string text = campaign.name + '\n' + campaign.text + '\n' + campaign.version + '\n' + campaign.created + '\n';
    text += std::to_string(campaign.seed) + ' ' + std::to_string(campaign.trials) + '\n';
    for (const CellConfig& cell : store.cells()) text += cell.id + cell.description + '\n';
    for (const CellConfig& cell : store.cells()) {
        if (store.contents() == StoreContents::Trials) break;
        for (const StoredAggregate& part : store.aggregates(cell.index)) {
            for (const std::string& column : pack_aggregate(part.aggregate)) text += column;
        }
    }
    for (const BlockKey& key : store.blocks()) {
        text += std::to_string(key.cell) + ' ' + std::to_string(key.first_trial) + ' ' + std::to_string(key.count) + '\n';
        if (store.contents() == StoreContents::Summary) continue;
        for (const ParameterColumns& kind : store.read_parameters(key))
            for (const std::string& column : kind) text += column;
        const std::vector<TrialRecord> records = store.read_block(key);
        for (const TrialRecord& record : records) {
            for (const TrialField& field : trial_fields) {
                text.append(reinterpret_cast<const char*>(&record) + field.offset, field.type == FieldType::Int32 ? 4 : 8);
            }
        }
    }
    return text;
}

enum class Outcome { Found, Harmless, Missed };

Outcome examine(const fs::path& path, const std::string& sound) {
    try {
        const Store store = Store::open(path);
        if (!store.verify().empty()) return Outcome::Found;
        return everything(store) == sound ? Outcome::Harmless : Outcome::Missed;
    } catch (const StoreError&) {
        return Outcome::Found;
    }
}

/// Flips one bit in every 97th byte of a store, of which there must be more to find than half as many as are harmless.
void expect_flips_are_found(const fs::path& path, const fs::path& copy) {
    const std::string sound = everything(Store::open(path));
    const std::string bytes = contents(path);
    std::size_t found = 0, harmless = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 97) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
        replace_contents(copy, damaged);
        const Outcome outcome = examine(copy, sound);
        EXPECT_NE(outcome, Outcome::Missed) << "byte " << at << ", bit " << at % 8;
        ++(outcome == Outcome::Found ? found : harmless);
    }
    // What is harmless lies in unused bytes of pages.
    EXPECT_GT(found, harmless / 2) << found << " found, " << harmless << " harmless of " << bytes.size() / 97;
    ::testing::Test::RecordProperty("found", static_cast<int>(found));
    ::testing::Test::RecordProperty("harmless", static_cast<int>(harmless));
}

TEST_F(StoreTest, FlippedBitsAreFoundOrHarmless) {
    {
        Store store = Store::open_for_writing(path(), small_campaign(100));
        for (std::int64_t cell = 0; cell < 4; ++cell) {
            for (std::int64_t first = 0; first < 96; first += 32) store.write_block({cell, first, 32}, records_of({cell, first, 32}));
        }
    }
    expect_flips_are_found(path(), path("damaged.db"));
}

TEST_F(StoreTest, FlippedBitsOfParametersAreFoundOrHarmless) {
    Campaign campaign = small_campaign(100);
    campaign.keep = {{true, false, true}};
    {
        Store store = Store::open_for_writing(path(), campaign);
        for (const CellConfig& cell : campaign.cells)
            for (std::int64_t first = 0; first < 96; first += 32) {
                TrialBlock block{{cell.index, first, 32}, records_of({cell.index, first, 32}), {}};
                const std::vector<double> numbers(static_cast<std::size_t>(32 * (3 * cell.width + 1)), 0.1f);
                for (const std::size_t kind : {0, 2}) block.parameters[kind] = pack_parameters(cell, numbers, 32);
                store.write_blocks({&block, 1});
            }
    }
    expect_flips_are_found(path(), path("damaged.db"));
}

TEST_F(StoreTest, FlippedBitsOfSummariesAreFoundOrHarmless) {
    {
        Store store = Store::open_for_writing(path(), summarized(small_campaign(100)));
        for (std::int64_t cell = 0; cell < 4; ++cell) {
            write_aggregate(store, {cell, 0, 100});
            write_aggregate(store, {cell, 120, 100});
        }
    }
    expect_flips_are_found(path(), path("damaged.db"));
}

TEST_F(StoreTest, TruncatedFilesAreFound) {
    { Store::open_for_writing(path(), small_campaign(100)).write_block({0, 0, 64}, records_of({0, 0, 64})); }
    const std::string sound = everything(Store::open(path()));
    const std::string bytes = contents(path());
    for (std::size_t length = 1; length < bytes.size(); length += 1013) {
        replace_contents(path("damaged.db"), bytes.substr(0, length));
        EXPECT_EQ(examine(path("damaged.db"), sound), Outcome::Found) << "cut to " << length << " bytes";
    }
}

TEST_F(StoreTest, FullDiskIsAnErrorAndThenItGoesOn) {
    if (geteuid() != 0) GTEST_SKIP() << "only root may mount";
    fs::create_directory(path("mount"));
    if (mount("limrisk-test", path("mount").c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "mount is not allowed here";
    struct Unmount {
        std::string where;
        ~Unmount() { umount2(where.c_str(), MNT_DETACH); }
    } unmount{path("mount").string()};
    const fs::path store_path = path("mount") / "store.db";
    std::int64_t stored = 0;
    {
        Store store = Store::open_for_writing(store_path, small_campaign(100'000));
        const auto [code, message] = store_error([&] {
            for (std::int64_t first = 0; first < 100'000; first += 250) {
                store.write_block({0, first, 250}, records_of({0, first, 250}));
                stored += 250;
            }
        });
        EXPECT_EQ(code, 74);
        EXPECT_THAT(message, AllOf(HasSubstr("store.db"), HasSubstr("disk is full"), HasSubstr("safe"), HasSubstr("again")));
        EXPECT_GT(stored, 0);
        EXPECT_EQ(count_right_trials(store), stored) << "what was committed before must stay readable through the same store";
    }
    EXPECT_EQ(count_right_trials(Store::open(store_path)), stored);
    ASSERT_EQ(mount("limrisk-test", path("mount").c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
    Store store = Store::open_for_writing(store_path, small_campaign(100'000));
    EXPECT_EQ(count_right_trials(store), stored);
    for (std::int64_t first = stored; first < stored + 1000; first += 250) store.write_block({0, first, 250}, records_of({0, first, 250}));
    EXPECT_EQ(count_right_trials(store), stored + 1000);
    EXPECT_THAT(store.verify(), ::testing::IsEmpty());
}

TEST_F(StoreTest, NoRoomForANewStoreIsAnErrorToo) {
    if (geteuid() != 0) GTEST_SKIP() << "only root may mount";
    fs::create_directory(path("mount"));
    if (mount("limrisk-test", path("mount").c_str(), "tmpfs", 0, "size=16k") != 0) GTEST_SKIP() << "mount is not allowed here";
    EXPECT_THAT(store_error([&] { Store::open_for_writing(path("mount") / "store.db", small_campaign()); }),
                Pair(74, HasSubstr("disk is full")));
    ASSERT_EQ(mount("limrisk-test", path("mount").c_str(), "tmpfs", MS_REMOUNT, "size=1m"), 0);
    EXPECT_EQ(store_error([&] { Store::open_for_writing(path("mount") / "store.db", small_campaign()); }).second, "no error");
    umount2(path("mount").c_str(), MNT_DETACH);
}

/// A store as a writer leaves it that dies in a transaction: pages already overwritten, the journal hot.
void interrupt_transaction(const fs::path& sound, const fs::path& interrupted) {
    sqlite3* writer = nullptr;
    ASSERT_EQ(sqlite3_open(sound.c_str(), &writer), SQLITE_OK);
    const char* half = "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE blocks SET hash = 'x', final_risk = zeroblob(length(final_risk));";
    ASSERT_EQ(sqlite3_exec(writer, half, nullptr, nullptr, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_db_cacheflush(writer), SQLITE_OK);
    fs::copy_file(sound, interrupted);
    fs::copy_file(sound.string() + "-journal", interrupted.string() + "-journal");
    sqlite3_close(writer);
    ASSERT_NE(contents(sound), contents(interrupted));
}

TEST_F(StoreTest, InterruptedTransactionsAreUndone) {
    { Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 64}, records_of({0, 0, 64})); }
    interrupt_transaction(path(), path("read.db"));
    const Store store = Store::open(path("read.db"));
    EXPECT_EQ(count_right_trials(store), 64);
    EXPECT_THAT(store.verify(), ::testing::IsEmpty());
    interrupt_transaction(path(), path("write.db"));
    EXPECT_EQ(count_right_trials(Store::open_for_writing(path("write.db"), small_campaign())), 64);
}

TEST_F(StoreTest, InterruptedTransactionsAreReadInAReadOnlyFileSystemToo) {
    if (geteuid() != 0) GTEST_SKIP() << "only root may mount";
    fs::create_directory(path("mount"));
    const fs::path there = path("mount");
    if (mount("limrisk-test", there.c_str(), "tmpfs", 0, "size=4m") != 0) GTEST_SKIP() << "mount is not allowed here";
    { Store::open_for_writing(path(), small_campaign()).write_block({0, 0, 64}, records_of({0, 0, 64})); }
    interrupt_transaction(path(), there / "hot.db");
    fs::copy_file(path(), there / "cold.db");
    std::ofstream(there / "cold.db-journal").flush();  // as a writer leaves it that is killed between transactions
    EXPECT_EQ(mount("limrisk-test", there.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=4m"), 0);
    EXPECT_EQ(store_error([&] { EXPECT_EQ(count_right_trials(Store::open(there / "cold.db")), 64); }).second, "no error");
    EXPECT_EQ(store_error([&] { EXPECT_EQ(count_right_trials(Store::open(there / "hot.db")), 64); }).second, "no error");
    umount2(there.c_str(), MNT_DETACH);
}

/// Writes blocks one after the other from the first that is missing, and says so through the pipe after each.
[[noreturn]] void write_until_killed(const fs::path& path, const Campaign& campaign, int acknowledge) {
    try {
        Store store = Store::open_for_writing(path, campaign);
        std::int64_t first = 0;
        for (const BlockKey& key : store.blocks()) first = key.first_trial + key.count;
        for (;; first += 50) {
            if (campaign.store == StoreContents::Summary)
                write_aggregate(store, {0, first, 50});
            else
                store.write_block({0, first, 50}, records_of({0, first, 50}));
            const std::int64_t done = first + 50;
            if (write(acknowledge, &done, sizeof done) != sizeof done) _exit(2);
        }
    } catch (const std::exception& error) {
        dprintf(STDERR_FILENO, "child: %s\n", error.what());
        _exit(3);
    }
}

/// Both kinds of store.
class KilledWriterTest : public StoreTest, public ::testing::WithParamInterface<StoreContents> {};

TEST_P(KilledWriterTest, LosesNothingAcknowledgedAndFreesTheLock) {
    Campaign campaign = small_campaign(1'000'000);
    campaign.store = GetParam();
    std::mt19937 random(20261121);
    std::int64_t safe = 0;  // trials known to be in the store
    for (int round = 0; round < 40; ++round) {
        int ends[2];
        ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) write_until_killed(path(), campaign, ends[1]);
        close(ends[1]);
        std::int64_t done = 0;
        // Every other round gets as far as a block however slow the machine is; the others may die while the store is opened.
        if (round % 2 == 1) {
            ASSERT_EQ(read(ends[0], &done, sizeof done), static_cast<ssize_t>(sizeof done));
        }
        std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution(0, 10'000)(random)));
        kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself, status " << WEXITSTATUS(status);
        safe = std::max(safe, done);
        while (read(ends[0], &done, sizeof done) == sizeof done) safe = done;
        close(ends[0]);
        if (safe == 0) continue;  // killed before the store was made
        const Store store = Store::open(path());
        const std::int64_t count = count_right_trials(store);
        // One block may have been committed whose acknowledgement the kill prevented.
        EXPECT_TRUE(count == safe || count == safe + 50) << count << " trials, " << safe << " were acknowledged";
        EXPECT_THAT(store.verify(), ::testing::IsEmpty());
        safe = count;
    }
    Store store = Store::open_for_writing(path(), campaign);
    EXPECT_EQ(count_right_trials(store), safe);
    EXPECT_GT(safe, 0);
}

/// Of every file stays what was synced; whenever the power fails, all that was acknowledged is there, and nothing else.
TEST_P(KilledWriterTest, LosesNothingAcknowledgedToALossOfPower) {
    struct State {
        SyncedDisk::Files files;
        std::int64_t trials;  ///< acknowledged
        std::size_t documents;
        std::int64_t begun;  ///< first trial of an acknowledged checkpoint; -1: none
    };
    Campaign campaign = small_campaign(200);
    campaign.store = GetParam();
    std::vector<State> states;
    {
        SyncedDisk disk;
        std::int64_t trials = 0;
        std::size_t documents = 0;
        std::int64_t begun = -1;
        const auto acknowledge = [&](std::int64_t more_trials, std::size_t more_documents, std::int64_t begun_now = -1) {
            std::vector<SyncedDisk::Files> left = disk.after_power_loss();
            EXPECT_GE(left.size(), 4u) << "a transaction syncs the journal, the file and the journal's end";
            for (std::size_t k = 1; k < left.size(); ++k) states.push_back({std::move(left[k]), trials, documents, begun});
            trials += more_trials;
            documents += more_documents;
            begun = begun_now;
            states.push_back({std::move(left[0]), trials, documents, begun});
        };
        {
            Store store = Store::open_for_writing(path(), campaign);
            acknowledge(0, 0);
            for (std::int64_t first = 0; first < 200; first += 50) {
                store.write_checkpoint({0, first, 50}, 1, std::string(20000, 'a'));
                acknowledge(0, 0, first);
                store.write_checkpoint({0, first, 50}, 2, std::string(20000, 'b'));
                acknowledge(0, 0, first);
                if (campaign.store == StoreContents::Summary)
                    write_aggregate(store, {0, first, 50});
                else
                    store.write_block({0, first, 50}, records_of({0, first, 50}));
                acknowledge(50, 0);
            }
        }
        write_documents(path(), {{document_kind::optimum, "problem", 1, "", "{}", "", ""}});
        acknowledge(0, 1);
    }
    for (const State& state : states) {
        SyncedDisk::write(state.files, path("left"));
        const Store store = Store::open_for_writing(path("left") / "store.db", campaign);
        const std::int64_t trials = count_right_trials(store);
        const std::size_t documents = store.documents(document_kind::optimum).size();
        // What was under way may be there already, as a whole.
        EXPECT_TRUE(trials == state.trials || trials == state.trials + 50) << trials << " trials, " << state.trials << " acknowledged";
        EXPECT_TRUE(documents == state.documents || documents == 1) << documents << ", " << state.documents << " acknowledged";
        EXPECT_THAT(store.verify(), ::testing::IsEmpty());
        const std::vector<StoredCheckpoint> checkpoints = store.checkpoints();
        if (state.begun >= trials) {
            ASSERT_EQ(checkpoints.size(), 1u);
        }
        for (const StoredCheckpoint& checkpoint : checkpoints) {
            EXPECT_EQ(checkpoint.key, (BlockKey{0, trials, 50}));
            EXPECT_EQ(store.read_checkpoint(checkpoint), std::string(20000, checkpoint.replica_steps == 1 ? 'a' : 'b'));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Contents, KilledWriterTest, ::testing::Values(StoreContents::Trials, StoreContents::Summary),
                         [](const auto& parameter) { return parameter.param == StoreContents::Trials ? "Trials" : "Summary"; });

}  // namespace
}  // namespace limrisk::testing
