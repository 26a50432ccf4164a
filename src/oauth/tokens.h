/* SPDX-License-Identifier: ISC */
/* Tokens that were signed by others (PyJWT), and the keys; for tests. Their time is from 1,700,000,000 to 2,000,000,000. */
#ifndef OAUTH_TOKENS_H
#define OAUTH_TOKENS_H

static const char token_keys[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"t6v7Ho8A3OANoXQKRhKdgC87szZQS3WRGUAulesni4fXOU2Si4dhG63ywbnx6pkzN3IXr"
	"QQ4sxYDHpsvOeazzvvcxTWmQAq9ELGW7rG2znSgkIoe7oTaVO_200LWz9J4azN136f1PWei4zBZ8cHS_Tt1iFlD5reDlHSwv"
	"t36XFQReMyV2MFZnT00Jp_Vfp7ZmBV5Dm-8zlr-zu0aUbyTcDDSEwiVn1n-gmNvWP9Sww3rb1LQnccPGPtEmCBxmwlZrlgqF"
	"y4uawPuTxcRXl5fIQcm9YwTNv9uE3gcShkP7ZWssNLDAr-HJIULZkAViHl3yJm9SddWTSrA31SSNSWZ7Q\",\"e\":\"AQAB\",\"k"
	"id\":\"r\",\"use\":\"sig\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
	"\"zutkCl3FbE6jRkMN8qJsVoEelTtAGjqFJS19VvPwsb4\""
	",\"y\":\"pGpnFKOpAPJapiwiuW_qzmC9DJnPXcwBzN6JqocVIw4\",\"kid\":\"e\",\"alg\":\"ES256\",\"use\":\"sig\"},{"
	"\"kty\":\""
	"EC\",\"crv\":\"P-384\",\"x\":\"6hOV3uy80sUTmM3WI5p2rZJkn4kXQWzxhjKwt6oMjLn9xdC-2gd8foi8-hhEle7u\",\"y\":\"Pw"
	"dN08X-ZHBAr2TFbtuST13M78dByriFDKtt4qbU7CxVxnFYXKqO4X-w8l5RsdVa\",\"kid\":\"e3\"},{\"kty\":\"OKP\",\"crv\":\""
	"Ed25519\",\"x\":\"Fz4kwINPTtE79v_mVI0ivy3UnP43-e5R5TCYwf3cjRM\",\"kid\":\"d\"}]}";

static const char token_other_keys[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"r41Dmmgt3HxoeqdSC_lOeSYsFUs3AeSZnL6TbEu7r6k6SK2BpvE8viW0ZY10hJp2txQi0"
	"IWgBfPzAU2PcDXD5xfuUlasEwNNaxfqUc4zYbQRZ5CiQSev1cKfki9urFVvTZlUGIsXTRao-X8JF7AZQErRylWKb_Hw6Tt87"
	"-w3FreDyJIJ16FDtBnrfo_iPsZ5-obnkNEsxEuEq17gcsdCprVxzYz0of9gvSmGZTZT0LRFtYeDeLlNpjrNfUVFzQlNindn1"
	"Jv6kiTIsrfmRrqrcralHTZeza_iADL6qxNNUOGHElPWfLxTjAja7_YT21W5EtiK12qYMKYBy0BqgJFsSQ\",\"e\":\"AQAB\",\"k"
	"id\":\"new\"}]}";

static const char token_rs256[] =
	"eyJhbGciOiJSUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
	"XVkIjoibWFpbCIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnI"
	"iwiZW1haWxfdmVyaWZpZWQiOnRydWV9.f9V5j4_Y2CjxfdROi-C2x598Zuc7_F2m6rsjiW4L9T8u8XzZwyVg1qJmb2sckF41"
	"CR4LS-SnUWRiqtjyw2k0Tx7qKWt6v3dfrEcR2KP4UqU-61O3oIMttIHYR3Tnjv8fU_mG49WMLNtbQh7Gfi39Pkh2c5lcuvqg"
	"3Y03JefGCIep5VfdP8iiJaLJftztzffrgF9oYaTsB6zu2Tat1X90_FhhXhDPDm9UNHSCT5MOW22TSvwGH60de0KpK5QAmM5H"
	"LIXMSH5EoY239spVninwXLyAQKPb9LROBgeLXQXGX8dsS0TaZyv2v_V2RPsqsraEdvAN4YwEqKv7i55NIu5nGg";

static const char token_ps256[] =
	"eyJhbGciOiJQUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkI"
	"joibWFpbCIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiwiZ"
	"W1haWxfdmVyaWZpZWQiOnRydWV9.KokOLyde8K03Bd34FRa0-LqiusgzkAWeaL3n70sEJZNyjujehFaI2RFdl4TmX9Z5FaJf"
	"aZNuQjqvTgwemaACDWibkjhXt_rfjMrK2TBIJXL_B6iaADoJSraNx6sJFQ3R4PFIFEeN4xGFAnamNtNccfy8VYtXdL3cRQ2b"
	"OiYLIL-ATiF-VLVYruuz9K81yMFFJZmr-HdTDNFja8UZumDwove-1sXpiYY--Zwp3Mbui3JkBTfeU5va1ocG8lAeK5x42Tv1"
	"e7bx41CN2MdhsEr4v6LhnR0Gjrm-kfyC3kd_YdQ2uRFxPTpL0pLSj3JCsxnlB38XUqHBfbl018Ppb3UJNw";

static const char token_es256[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6ImUiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkI"
	"joibWFpbCIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiwiZ"
	"W1haWxfdmVyaWZpZWQiOnRydWV9.-6XsVK8RvYgGCGVO984Dkh9-6S11oXN-ZQmFWplTQ7vP74f9S3cAP-JSFZnoguM6vV8G"
	"ZHQTK6Tjz2K6lPlYOA";

static const char token_es384[] =
	"eyJhbGciOiJFUzM4NCIsImtpZCI6ImUzIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVk"
	"IjoibWFpbCIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiwi"
	"ZW1haWxfdmVyaWZpZWQiOnRydWV9.xxSwAyakhNQ1UEmZgUZ1El54oi8ZNX0x4tIRzSO1IM94OyUTvHPU3gNzSiOrVMefJnI"
	"nvMq9DTGtmOmNYC4GPiacbfPMxGKQ3PnDzHVAyd9AzXHceDyGs0GUuvZPXvB7";

static const char token_eddsa[] =
	"eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkI"
	"joibWFpbCIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiwiZ"
	"W1haWxfdmVyaWZpZWQiOnRydWV9.jT3MU3StZ-28ZWSu1YKJWrlvezLaxeQ4OZLpSqD8gmyHPIuwgpnXkYoanv0o0aBZJijb"
	"4ZLX8cfhBRsyZubKCg";

static const char token_no_kid[] =
	"eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkIjoibWFpbCIsImV"
	"4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiwiZW1haWxfdmVyaWZ"
	"pZWQiOnRydWV9.JBZ2xCPSf5bk5rTlwVTpm8F7gM1T6Ee0WIqu908PhnRH4-oDSVmx95EegF5yhokkS8vfpwnK1Ma91nR4v8"
	"9DpoOxqQY1ndqFo36aJlPpExJHuioUCHnztlNNfksvcroOhgPQEZoUG6q8v1dCyuUIIpSlCxf4IqXj48MsWXvlGhuXUfT71R"
	"7bbSQhF6XMEkJ2X5woPo3Rp9w3YdhlsKa7vYchblWlUK_QrBRy67uv65VKikWjEItU4oOg7IHRdfPve-JKFJv3pCtMOuojHK"
	"R6fNA0zG30GDgg24645PSM70M5BnztQFYA3QJ5eRokmGrR17jBPdxzh4NNFXkukgygaQ";

/* Signed by the key of token_other_keys; with a name of its own, and with one that is not its own. */
static const char token_new[] =
	"eyJhbGciOiJSUzI1NiIsImtpZCI6Im5ldyIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXV"
	"kIjoibWFpbCIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiw"
	"iZW1haWxfdmVyaWZpZWQiOnRydWV9.m2YDLZu27Jms6z7R-Nf6LkZRkWtHjf7ql9n170-UQjhlwnetEvcaLFPa0n2ESHQj-A"
	"dOxWTkHlmUeiDq9jmvHAm6zh6uBBYI1wNEwWzLJby__DfZVLZ21iocP4jaCHux4lgr4Bdvx_wbGLPUBtLydgiloaeIt4_rB2"
	"V-63FSe2b51DKeVLZKHFjtcHiTCNI_2YMKw5fCTj7RveaKLZ8Fo_cks70WJLQ6wU4Z62iJXUfGuZsjocHltZXW4YxZPMoocl"
	"K2bE5255Uubvv_vwFU1AL371FWPR0jPYX5MybziohZIVLil4j4bo6CA0UhyuRcvyd-235x0RUdX9Mib8mmvA";

static const char token_foreign[] =
	"eyJhbGciOiJSUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkI"
	"joibWFpbCIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiwiZ"
	"W1haWxfdmVyaWZpZWQiOnRydWV9.XCEHAJwNT8yLOpMXoOs1OYVwnoC5DHWG1V2PzhihIk7yvV7BhGREsYCRoKDtekMg8s-y"
	"3hChbSSl8PyIiPYTrhYHskKUSdqBc5_gf9PmNIEBXRuJRvrRVpLPBLvtFSU5p3F-NXpF6dP6ChBq-arPHe-IQLM02yoQwIeN"
	"gICxARKSVGrgafelkRuKHBNbsUEcUi-f_LjFSKuWspdrqLSaASuKDnAxAKQvh_3BFQ38LHm45b116MIoAQv0LddLHePZ28Lz"
	"XTLiU7A4zwcO4_ArtA9XHRJRPhNQOv1wFpNvaHXNOGvio0A1_DcNiOO6kYW3tluuWhqjQ4Dyhw_Y1tlqLQ";

/* The public key as a shared secret, and nothing at all. */
static const char token_hs256[] =
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkI"
	"joibWFpbCIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiwiZ"
	"W1haWxfdmVyaWZpZWQiOnRydWV9.6UgUnhj6izWCfJCmBqmSWJcImMv-y89ste5qSx2rAKM";

static const char token_none[] =
	"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkIjoibWFpbCIsImV4"
	"cCI6MjAwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUub3JnIiwiZW1haWxfdmVyaWZp"
	"ZWQiOnRydWV9.";

#endif
