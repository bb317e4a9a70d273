package stack_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/resource"
)

var _ = onEach("The catalog", func(here func() *graph) {
	It("has the databases that the code knows", func() {
		Expect(here().values("aws:glue/catalogDatabase:CatalogDatabase", "name")).To(Equal(sorted(resource.Databases()...)))
	})

	It("is encrypted, connections' passwords too", func() {
		key := here().key(resource.DataKey).arn
		settings := here().all("aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings")[0]
		Expect(settings.text("dataCatalogEncryptionSettings", "encryptionAtRest", "catalogEncryptionMode")).To(Equal("SSE-KMS"))
		Expect(settings.text("dataCatalogEncryptionSettings", "encryptionAtRest", "sseAwsKmsKeyId")).To(Equal(key))
		Expect(settings.at("dataCatalogEncryptionSettings", "connectionPasswordEncryption", "returnConnectionPasswordEncrypted")).To(BeTrue())
		Expect(settings.text("dataCatalogEncryptionSettings", "connectionPasswordEncryption", "awsKmsKeyId")).To(Equal(key))
	})

	It("is queried in a workgroup whose settings no query can change", func() {
		for _, name := range resource.Workgroups() {
			w := here().one("aws:athena/workgroup:Workgroup", "name", string(name))
			Expect(w.at("configuration", "enforceWorkgroupConfiguration")).To(BeTrue())
			Expect(w.at("configuration", "publishCloudwatchMetricsEnabled")).To(BeTrue())
			Expect(w.at("configuration", "bytesScannedCutoffPerQuery")).To(BeNumerically("==", 10<<30))
			Expect(w.text("configuration", "resultConfiguration", "outputLocation")).To(Equal(here().env.URI(resource.QueryResults)))
			Expect(w.text("configuration", "resultConfiguration", "encryptionConfiguration", "encryptionOption")).To(Equal("SSE_KMS"))
			Expect(w.text("configuration", "resultConfiguration", "encryptionConfiguration", "kmsKeyArn")).To(Equal(here().key(resource.DataKey).arn))
		}
	})
})
